package page

import (
	"strings"
	"testing"

	"github.com/candor-archive/candor"
)

func TestTwinSaysTheAddressAndTheDateAsTheyAre(t *testing.T) {
	w := new(twin)
	w.start()
	out := string(w.page(&candor.Manifest{FinalURL: "https://city.example/%s/{at}"}))
	if n := strings.Count(out, "https://city.example/%s/{at} "); n != 2 {
		t.Errorf("the address is there %d times, want 2: %s", n, out)
	}
}
