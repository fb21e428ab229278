package page

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// smallTree is an answer as Chrome gives it: a heading and a paragraph.
func smallTree() string {
	strs := []string{"http://x.test/", "A  \"title\" á \U0001F600", "#document", "HTML", "BODY", "H1", "#text", "Words é \U0001F600 end", "", "lang", "es", "visible", "block", "static", "1", "auto", "0px", "none", "P", "more words"}
	at := func(s string) int {
		for i, x := range strs {
			if x == s {
				return i
			}
		}
		panic(s)
	}
	styles := []int{}
	for _, name := range treeStyles {
		v := map[string]string{"visibility": "visible", "display": "block", "position": "static", "opacity": "1", "content-visibility": "visible",
			"overflow-x": "visible", "overflow-y": "visible", "animation-name": "none"}[name]
		if v == "" {
			v = "0px"
		}
		styles = append(styles, at(v))
	}
	st, err := json.Marshal(styles)
	if err != nil {
		panic(err)
	}
	table := make([]string, len(strs))
	for i, s := range strs {
		b, err := json.Marshal(s)
		if err != nil {
			panic(err)
		}
		var esc strings.Builder
		for _, r := range string(b) {
			switch {
			case r > 0xffff:
				fmt.Fprintf(&esc, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
			case r > 0x7e:
				fmt.Fprintf(&esc, `\u%04x`, r)
			default:
				esc.WriteRune(r)
			}
		}
		table[i] = esc.String()
	}
	return fmt.Sprintf(`{"documents":[{"documentURL":0,"title":1,"baseURL":0,"nodes":{"parentIndex":[-1,0,1,2,3,2,5],"nodeType":[9,1,1,1,3,1,3],
"nodeName":[2,3,4,5,6,18,6],"nodeValue":[8,8,8,8,7,8,19],"backendNodeId":[1,2,3,4,5,6,7],"attributes":[[],[9,10],[],[],[],[],[]],
"contentDocumentIndex":{"index":[],"value":[]},"isClickable":{"index":[3]}},
"layout":{"nodeIndex":[0,1,2,3,4,5,6],"styles":[[],%[1]s,%[1]s,%[1]s,[],%[1]s,[]],
"bounds":[[0,0,800,600],[0,0,800,600],[8,8,784,80.5],[8,8,784,37],[8,8.25,150,37],[8,50,784,18],[8,50,70,17]],"text":[-1,-1,-1,-1,7,-1,19],"stackingContexts":{"index":[1]}},
"textBoxes":{"layoutIndex":[4,6],"bounds":[[8,8.25,1.5e2,37],[8,50,70,17]],"start":[0,0],"length":[14,10]},"scrollOffsetX":0,"scrollOffsetY":12.5}],
"strings":[%[2]s]}`, st, strings.Join(table, ","))
}

func TestTreeIsReadAsChromeWritesIt(t *testing.T) {
	var tr tree
	if err := json.Unmarshal([]byte(smallTree()), &tr); err != nil {
		t.Fatal(err)
	}
	text, layout := tr.read()
	if want := "Words é \U0001F600 end\nmore words\n"; text != want {
		t.Errorf("the text is %q, want %q", text, want)
	}
	if layout.Title != "A \"title\" á \U0001F600" || layout.Language != "es" || len(layout.Runs) != 2 || layout.Runs[0].Box != (Box{8, 8.25, 150, 37}) {
		t.Errorf("the layout is %+v", layout)
	}
	if tr.docs[0].scrollY != 12.5 {
		t.Errorf("the page is scrolled by %v", tr.docs[0].scrollY)
	}
}

// A browser that was taken over may answer anything; it must not take us along.
func TestBrokenTreesAreErrorsAndNothingWorse(t *testing.T) {
	whole := smallTree()
	rnd := rand.New(rand.NewPCG(1, 2))
	read := 0
	for range 20_000 {
		b := []byte(whole)
		for range 1 + rnd.IntN(3) {
			switch i := rnd.IntN(len(b)); rnd.IntN(3) {
			case 0:
				b = b[:i+1]
			case 1:
				b[i] = "0123456789-[]{},:\"\\.e"[rnd.IntN(21)]
			default:
				j := min(len(b), i+rnd.IntN(12))
				b = append(b[:i:i], b[j:]...)
			}
			if len(b) == 0 {
				b = []byte("{")
			}
		}
		var tr tree
		if tr.UnmarshalJSON(b) == nil && len(tr.docs) > 0 {
			_, _, twin := tr.readAll()
			if len(twin.b.String()) > 0 {
				read++
			}
		}
	}
	if read == 0 {
		t.Error("no changed tree could be read, so nothing was tried")
	}
}
