package storagetest

import "testing"

func TestEvidence(t *testing.T) { Databases(t, Evidence) }
