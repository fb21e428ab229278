package page

import "time"

// Limits bounds a capture. Zero fields take the default.
type Limits struct {
	Total      time.Duration // a whole capture; 60 s
	Navigate   time.Duration // until the server has answered; 25 s
	Load       time.Duration // until the page says it is loaded; 20 s
	Quiet      time.Duration // until the network is quiet for half a second; 8 s
	Settle     time.Duration // each of fonts and images; 6 s
	Scroll     time.Duration // walking down and back; 20 s
	Picture    time.Duration // 30 s
	Answer     time.Duration // of the page to one command that has no longer limit of its own; 15 s
	Cleaned    time.Duration // the cleaned picture; 20 s
	Rendition  time.Duration // each further rendition; 60 s
	Check      time.Duration // the self-check; 30 s
	Height     int           // CSS pixels; 200,000
	Body       int64         // bytes kept of one response; 10 MiB
	Exchanges  int           // recorded at most; 10,000
	SnapshotMB int           // megabytes of a snapshot at most; 200
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		v *time.Duration
		s time.Duration
	}{{&l.Total, 60}, {&l.Navigate, 25}, {&l.Load, 20}, {&l.Quiet, 8}, {&l.Settle, 6}, {&l.Scroll, 20}, {&l.Picture, 30}, {&l.Answer, 15}, {&l.Cleaned, 20}, {&l.Rendition, 60}, {&l.Check, 30}} {
		if *d.v == 0 {
			*d.v = d.s * time.Second
		}
	}
	if l.Height == 0 {
		l.Height = 200_000
	}
	if l.Body == 0 {
		l.Body = 10 << 20
	}
	if l.Exchanges == 0 {
		l.Exchanges = 10_000
	}
	if l.SnapshotMB == 0 {
		l.SnapshotMB = 200
	}
	return l
}
