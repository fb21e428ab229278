package page

import "testing"

func TestGatheredBodiesAreBounded(t *testing.T) {
	var small spools
	for i := range maxSpools + 2 {
		if p := small.next(10 << 20); (p != nil) != (i < maxSpools) {
			t.Errorf("spool %d: %v", i, p != nil)
		}
	}
	var large spools
	total := int64(0)
	for range maxSpools {
		if p := large.next(100 << 20); p != nil {
			total += p.max
		}
	}
	if total != spoolRoom {
		t.Errorf("%d bytes may be gathered, want %d", total, spoolRoom)
	}
}
