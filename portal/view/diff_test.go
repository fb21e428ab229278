package view

import (
	"strings"
	"testing"
)

func TestDiffGivesBothWordingsBack(t *testing.T) {
	long := strings.Repeat("the same words over and over ", 2000)
	other := strings.Repeat("nothing alike at all here ", 2000)
	for _, c := range []struct {
		name, before, after string
		parts               int
	}{
		{"one word in a long text", long + "closed " + long, long + "opened " + long, 4},
		{"words added in the middle", "a b a", "a b a b a", 3},
		{"the same", "a b", "a b", 1},
		{"from nothing", "", "a b", 1},
		{"to nothing", "a b", "", 1},
		{"too different to compare", "start " + long + "end", "start " + other + "end", 4},
	} {
		parts := Diff(c.before, c.after)
		var before, after strings.Builder
		for _, p := range parts {
			if p.Op != "ins" {
				before.WriteString(p.Text)
			}
			if p.Op != "del" {
				after.WriteString(p.Text)
			}
		}
		if before.String() != c.before || after.String() != c.after || len(parts) > c.parts {
			t.Errorf("%s: %d parts: %.200v", c.name, len(parts), parts)
		}
	}
}
