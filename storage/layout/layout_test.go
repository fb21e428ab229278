package layout

import (
	"strings"
	"testing"
)

func TestObjectsAreSpreadByTheirHash(t *testing.T) {
	sha := "ab12" + strings.Repeat("0", 60)
	if got, want := ObjectKey(sha), "objects/ab/12/"+sha; got != want {
		t.Errorf("key %s, want %s", got, want)
	}
	if got, want := Object("/data", sha), "/data/objects/ab/12/"+sha; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
}

func TestOnlyRealHashesAreValid(t *testing.T) {
	good := strings.Repeat("0f", 32)
	for in, want := range map[string]bool{
		good: true, "": false, good[1:]: false, strings.ToUpper(good): false, good[:62] + "/.": false, good[:63] + "g": false,
	} {
		if ValidSHA(in) != want {
			t.Errorf("ValidSHA(%q) is %v", in, !want)
		}
	}
}
