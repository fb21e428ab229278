// Command vendor-uswds copies the pieces of the U.S. Web Design System that the
// portal serves into portal/view/static/uswds. Run it from the top of the
// repository with npm on the PATH:
//
//	go run ./portal/view/vendor-uswds
//
// The version and the package's SHA-256 are pinned here; a different package
// stops the command before anything is written. From the style sheet it drops
// what no page of ours can use (components that need script, viewport and hover
// variants of utilities, font families we do not serve), because the whole first
// view has to stay small. Nothing is rewritten: every rule that remains is as
// the design system ships it, apart from the paths
// of pictures and the name of the text font.
package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sort"
	"strings"
)

const (
	version = "3.14.0"
	sum     = "da91c65e6fc736fa397f0daf6ca2c2c95711506d85c7ad2537a4570725401e1c"
	target  = "portal/view/static/uswds"
)

// wanted maps files of the package to their names below target. Pictures that
// the remaining style sheet names are added to it.
var wanted = map[string]string{
	"LICENSE.md": "LICENSE.md",
	"dist/fonts/public-sans/PublicSans-Regular.woff2":       "PublicSans-Regular.woff2",
	"dist/fonts/public-sans/PublicSans-Bold.woff2":          "PublicSans-Bold.woff2",
	"dist/fonts/merriweather/Latin-Merriweather-Bold.woff2": "Merriweather-Bold.woff2",
	"dist/img/usa-icons/search.svg":                         "search.svg",
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "vendor-uswds:", err)
		os.Exit(1)
	}
}

func run() error {
	files, err := fetch()
	if err != nil {
		return err
	}
	css, pictures := cut(string(files["dist/css/uswds.min.css"]))
	out := map[string][]byte{"uswds.css": []byte(css)}
	for from, to := range wanted {
		out[to] = files[from]
	}
	for from, to := range pictures {
		out[to] = files[from]
	}
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	names := make([]string, 0, len(out))
	for name, b := range out {
		if len(b) == 0 {
			return fmt.Errorf("%s is not in the package", name)
		}
		names = append(names, name)
	}
	sort.Strings(names)
	var list strings.Builder
	fmt.Fprintf(&list, "# @uswds/uswds %s, package sha256 %s\n", version, sum)
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(target, name), out[name], 0o644); err != nil {
			return err
		}
		h := sha256.Sum256(out[name])
		fmt.Fprintf(&list, "%s  %s\n", hex.EncodeToString(h[:]), name)
	}
	return os.WriteFile(filepath.Join(target, "SHA256SUMS"), []byte(list.String()), 0o644)
}

// fetch asks npm for the pinned package, checks it and unpacks it in memory.
func fetch() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "uswds")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("npm", "pack", "--silent", "@uswds/uswds@"+version)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("npm pack: %w", err)
	}
	pkg, err := os.ReadFile(filepath.Join(dir, "uswds-uswds-"+version+".tgz"))
	if err != nil {
		return nil, err
	}
	if h := sha256.Sum256(pkg); hex.EncodeToString(h[:]) != sum {
		return nil, fmt.Errorf("the package has sha256 %x, not the pinned %s", h, sum)
	}
	zr, err := gzip.NewReader(strings.NewReader(string(pkg)))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(path.Clean(h.Name), "package/")
		if !strings.HasPrefix(name, "dist/") && name != "LICENSE.md" {
			continue
		}
		if files[name], err = io.ReadAll(tr); err != nil {
			return nil, err
		}
	}
}
