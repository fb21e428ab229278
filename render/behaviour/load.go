package behaviour

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"github.com/candor-archive/candor"
)

//go:embed files
var embedded embed.FS

// Set is every file that is in use. It does not change.
type Set struct{ files []*File } // those with hosts first, general ones last

// Problem is what is wrong with a file, and where.
type Problem struct {
	File  string
	Line  int
	Field string // steps[1].click.find
	Text  string
}

func (p *Problem) Error() string {
	where := p.File
	if p.Line > 0 {
		where += fmt.Sprintf(", line %d", p.Line)
	}
	if p.Field != "" {
		where += ", " + p.Field
	}
	return where + ": " + p.Text
}

// Default gives the files that ship with the program.
var Default = sync.OnceValue(func() *Set {
	s, err := Load("")
	if err != nil { // a test keeps them right
		panic(err)
	}
	return s
})

// Load reads the files that ship with the program and then those of dir, when
// it is not empty: one there replaces the one of the same name. An error names
// file, line and field, and nothing is loaded.
func Load(dir string) (*Set, error) {
	own, err := shipped()
	if err != nil {
		return nil, err
	}
	byName := maps.Clone(own)
	if dir != "" {
		info, err := os.Stat(dir)
		if err != nil {
			return nil, candor.Errorf(candor.Invalid, "behaviours: the folder cannot be read: %w", err)
		}
		if !info.IsDir() {
			return nil, candor.Errorf(candor.Invalid, "behaviours: %s is not a folder", dir)
		}
		theirs := map[string]*File{}
		if err := read(os.DirFS(dir), dir, theirs); err != nil {
			return nil, err
		}
		maps.Copy(byName, theirs)
	}
	s := &Set{}
	for _, f := range byName {
		s.files = append(s.files, f)
	}
	slices.SortFunc(s.files, func(a, b *File) int {
		if d := b.Match.weight() - a.Match.weight(); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	return s, nil
}

// shipped reads the files in the program.
var shipped = sync.OnceValues(func() (map[string]*File, error) {
	byName := map[string]*File{}
	files, err := fs.Sub(embedded, "files")
	if err != nil {
		return nil, err
	}
	return byName, read(files, "", byName)
})

// weight orders files: what names hosts knows better than what looks for an
// element, and one for no page at all comes last.
func (m Match) weight() int {
	switch {
	case len(m.Hosts) == 0 && m.Page == "" && len(m.Paths) == 0:
		return 0
	case m.Fallback:
		return 1
	case len(m.Hosts) == 0:
		return 2
	}
	return 3
}

// maxFile is more than anybody writes by hand.
const maxFile = 256 << 10

func read(from fs.FS, dir string, into map[string]*File) error {
	entries, err := fs.ReadDir(from, ".")
	if err != nil {
		return candor.Errorf(candor.Invalid, "behaviours: read the folder %s: %w", dir, err)
	}
	for _, e := range entries {
		if ext := path.Ext(e.Name()); e.IsDir() || ext != ".yaml" && ext != ".yml" || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		name := e.Name()
		if dir != "" {
			name = path.Join(dir, name)
		}
		b, err := fs.ReadFile(from, e.Name())
		if err != nil {
			return candor.Errorf(candor.Invalid, "behaviours: %w", err)
		}
		f, err := parse(name, b)
		if err != nil {
			return err
		}
		if other := into[f.Name]; other != nil {
			return wrong(&Problem{File: name, Line: 1, Field: "name", Text: quoted(f.Name) + " is also the name in " + other.from})
		}
		into[f.Name] = f
	}
	return nil
}

func wrong(p *Problem) error { return candor.Errorf(candor.Invalid, "behaviours: %w", p) }

// parse reads one file and checks all of it.
func parse(name string, b []byte) (*File, error) {
	if len(b) > maxFile {
		return nil, wrong(&Problem{File: name, Text: "is too large for a behaviour"})
	}
	var root yaml.Node
	if err := yaml.Unmarshal(b, &root); err != nil {
		return nil, wrong(located(name, nil, err))
	}
	if len(root.Content) == 0 {
		return nil, wrong(&Problem{File: name, Text: "is empty"})
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	f := &File{}
	if err := d.Decode(f); err != nil {
		return nil, wrong(located(name, &root, err))
	}
	if err := d.Decode(new(File)); !errors.Is(err, io.EOF) {
		return nil, wrong(&Problem{File: name, Text: "holds more than one document"})
	}
	sum := sha256.Sum256(b)
	f.sha, f.from = hex.EncodeToString(sum[:]), name
	f.Limits = f.Limits.withDefaults()
	c := checker{file: name, root: root.Content[0]}
	c.check(f)
	if c.problem != nil {
		return nil, wrong(c.problem)
	}
	return f, nil
}

// located makes a problem of what the YAML reader says.
func located(name string, root *yaml.Node, err error) *Problem {
	var own *Problem
	var kind *yaml.TypeError
	switch {
	case errors.As(err, &own):
		p := *own
		p.File = name
		if root != nil && p.Field == "" {
			p.Field = fieldAt(root, p.Line)
		}
		return &p
	case errors.As(err, &kind) && len(kind.Errors) > 0:
		p := &Problem{File: name, Text: kind.Errors[0]}
		if n, scanErr := fmt.Sscanf(p.Text, "line %d:", &p.Line); n == 1 && scanErr == nil {
			_, p.Text, _ = strings.Cut(p.Text, ": ")
		}
		if field, _, ok := strings.Cut(strings.TrimPrefix(p.Text, "field "), " not found"); ok {
			p.Text = "there is no field " + quoted(field)
			if root != nil {
				p.Field = parentOf(fieldAt(root, p.Line))
			}
			return p
		}
		p.Text = strings.NewReplacer("cannot unmarshal !!str ", "", "cannot unmarshal !!seq", "a list", "cannot unmarshal !!map", "a mapping", "cannot unmarshal !!", "",
			" into int", " is not a whole number", " into bool", " is neither true nor false", " into []string", " is not a list", " into string", " is not a text",
			" into []behaviour.Step", " is not a list of steps", " into behaviour.", " is not a ").Replace(p.Text)
		if root != nil {
			p.Field = fieldAt(root, p.Line)
		}
		return p
	}
	p := &Problem{File: name, Text: strings.TrimPrefix(err.Error(), "yaml: ")}
	if n, scanErr := fmt.Sscanf(p.Text, "line %d:", &p.Line); n == 1 && scanErr == nil {
		_, p.Text, _ = strings.Cut(p.Text, ": ")
	}
	return p
}

// fieldAt names what stands at a line: the last and innermost field that begins
// there or before.
func fieldAt(n *yaml.Node, line int) string {
	name := ""
	for n != nil {
		var next *yaml.Node
		switch n.Kind {
		case yaml.DocumentNode:
			next = n.Content[0]
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content) && n.Content[i].Line <= line; i += 2 {
				next = n.Content[i+1]
				if i+2 >= len(n.Content) || n.Content[i+2].Line > line {
					name = strings.TrimPrefix(name+"."+n.Content[i].Value, ".")
				}
			}
		case yaml.SequenceNode:
			for i, e := range n.Content {
				if e.Line > line {
					break
				}
				next = e
				if i+1 >= len(n.Content) || n.Content[i+1].Line > line {
					name += fmt.Sprintf("[%d]", i)
				}
			}
		}
		n = next
	}
	return name
}

func parentOf(field string) string {
	if at := strings.LastIndex(field, "."); at >= 0 {
		return field[:at]
	}
	return ""
}
