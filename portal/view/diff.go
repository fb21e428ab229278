package view

import "strings"

// DiffPart is a run of words that stayed, came or went.
type DiffPart struct {
	Op   string // "", "ins", "del"
	Text string
}

// Diff compares two wordings word by word. Very long ones are given whole, as
// one that went and one that came: the table would grow with their product.
func Diff(before, after string) []DiffPart {
	a, b := words(before), words(after)
	// What stays at both ends, most of nearly every edit, needs no table.
	head, tail := 0, 0
	for head < min(len(a), len(b)) && a[head] == b[head] {
		head++
	}
	for tail < min(len(a), len(b))-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	begin, end := strings.Join(a[:head], ""), strings.Join(a[len(a)-tail:], "")
	a, b = a[head:len(a)-tail], b[head:len(b)-tail]
	var out []DiffPart
	add := func(op, s string) {
		if n := len(out); n > 0 && out[n-1].Op == op {
			out[n-1].Text += s
		} else if s != "" {
			out = append(out, DiffPart{op, s})
		}
	}
	add("", begin)
	if len(a)*len(b) > 1_000_000 {
		add("del", strings.Join(a, ""))
		add("ins", strings.Join(b, ""))
		add("", end)
		return out
	}
	// lcs[i][j] is the length of the longest common run of a[i:] and b[j:].
	lcs := make([][]int, len(a)+1)
	for i := range lcs {
		lcs[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				lcs[i][j] = lcs[i+1][j+1] + 1
			} else {
				lcs[i][j] = max(lcs[i+1][j], lcs[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			add("", a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && lcs[i+1][j] >= lcs[i][j+1]:
			add("del", a[i])
			i++
		default:
			add("ins", b[j])
			j++
		}
	}
	add("", end)
	return out
}

// words cuts text into words, each with the white space that follows it.
func words(s string) []string {
	var out []string
	start, space := 0, false
	for i, r := range s {
		isSpace := r == ' ' || r == '\n' || r == '\t'
		if space && !isSpace {
			out = append(out, s[start:i])
			start = i
		}
		space = isSpace
	}
	if strings.TrimSpace(s[start:]) != "" || start == 0 && s != "" {
		out = append(out, s[start:])
	}
	return out
}
