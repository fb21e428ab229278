package page

// suspect is an element that may look different each time, and where it is.
type suspect struct {
	box   Box
	cause string
}

// moving are the elements whose content comes from elsewhere or moves by itself.
var moving = map[string]string{
	"VIDEO": "video", "AUDIO": "video", "CANVAS": "canvas", "IFRAME": "frame", "FRAME": "frame", "OBJECT": "frame", "EMBED": "frame",
	"MARQUEE": "animation", "IMG": "image", "SVG": "image", "svg": "image", "image": "image",
}

// suspects lists them, for the page itself: what lies in a frame is the frame's.
func (t *tree) suspects() []suspect {
	d := &t.docs[0]
	var out []suspect
	for i, at := range d.node {
		why := moving[t.str(d.name[at])]
		if name := t.style(d, int32(i), styleAnimation); why == "" && name != "" && name != "none" {
			why = "animation"
		}
		if why != "" {
			out = append(out, suspect{Box(d.bounds[4*i : 4*i+4]), why})
		}
	}
	return out
}

// skips says that the page lets the browser leave out what is far from the view.
// Which of it has words then depends on what was drawn last.
func (t *tree) skips() bool {
	for at := range t.docs {
		d := &t.docs[at]
		for i := range d.node {
			if t.style(d, int32(i), styleContentVisibility) == "auto" {
				return true
			}
		}
	}
	return false
}

// cause is what a place that differs most likely shows: the smallest suspect
// that most of it lies in, or that mostly lies in it, else text, else unknown.
func cause(region Box, blame []suspect, runs []Run) string {
	best, size := "", 0.0
	for _, b := range blame {
		common, area := overlap(region, b.box), b.box[2]*b.box[3]
		if common == 0 || 2*common < region[2]*region[3] && 2*common < area {
			continue
		}
		if best == "" || area < size {
			best, size = b.cause, area
		}
	}
	if best != "" {
		return best
	}
	for _, r := range runs {
		if overlap(region, r.Box) > 0 {
			return "text"
		}
	}
	return "unknown"
}

// overlap is the area two boxes share.
func overlap(a, b Box) float64 {
	w := min(a[0]+a[2], b[0]+b[2]) - max(a[0], b[0])
	h := min(a[1]+a[3], b[1]+b[3]) - max(a[1], b[1])
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h
}
