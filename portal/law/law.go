// Package law keeps the law profiles: holidays and clocks of a jurisdiction as
// versioned data, with where each rule comes from and whether an attorney has
// looked at it. The profiles that ship are embedded; an agency replaces one by
// putting its own copy into a directory. Counting days is candor's work.
package law

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/candor-archive/candor"
)

//go:embed profiles/*.yaml
var embedded embed.FS

var keyForm = regexp.MustCompile(`^[a-z]{2}(-[a-z0-9]{2,12}){0,3}$`)

// Load gives the profile that ships with the program.
func Load(key string) (candor.LawProfile, error) { return Library{}.Load(key) }

// Library finds profiles, the agency's own first.
type Library struct {
	Dir string // holds KEY.yaml files that replace the embedded ones; empty for none
}

// Load gives a profile by its key. A key nobody has a profile for is NotFound;
// a file that makes no sense is Invalid, with the line to look at.
func (l Library) Load(key string) (candor.LawProfile, error) {
	if !keyForm.MatchString(key) {
		return candor.LawProfile{}, candor.Errorf(candor.Invalid, "%q is not a jurisdiction like us-tx", key)
	}
	if l.Dir != "" {
		path := filepath.Join(l.Dir, key+".yaml")
		b, err := os.ReadFile(path)
		switch {
		case err == nil:
			return check(path, key, b)
		case !errors.Is(err, fs.ErrNotExist):
			return candor.LawProfile{}, fmt.Errorf("read law profile: %w", err)
		}
	}
	b, err := embedded.ReadFile("profiles/" + key + ".yaml")
	if err != nil {
		return candor.LawProfile{}, candor.Errorf(candor.NotFound, "there is no law profile %s (known: %s)", key, strings.Join(l.Keys(), ", "))
	}
	return check("law/"+key+".yaml", key, b)
}

func check(path, key string, b []byte) (candor.LawProfile, error) {
	p, err := Parse(path, b)
	if err == nil && p.Key != key {
		return p, candor.Errorf(candor.Invalid, "%s: key is %q, but the file is for %q", path, p.Key, key)
	}
	return p, err
}

// Keys lists the jurisdictions there are profiles for.
func (l Library) Keys() []string {
	seen := map[string]bool{}
	add := func(name string) {
		if key, ok := strings.CutSuffix(name, ".yaml"); ok && keyForm.MatchString(key) {
			seen[key] = true
		}
	}
	entries, _ := embedded.ReadDir("profiles") // embedded: cannot fail
	for _, e := range entries {
		add(e.Name())
	}
	if l.Dir != "" {
		own, _ := os.ReadDir(l.Dir) // an absent directory adds nothing
		for _, e := range own {
			add(e.Name())
		}
	}
	keys := make([]string, 0, len(seen))
	for k := range seen {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
