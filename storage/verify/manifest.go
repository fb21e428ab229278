package verify

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/candor-archive/candor"
)

// manifest compares a capture's manifest, whose bytes are known to be the ones
// that were committed, with the capture's rows.
func (k *check) manifest(p pending, content *limited) {
	c, about := p.capture, "capture "+p.capture.ID
	var m candor.Manifest
	if err := json.Unmarshal(content.Bytes(), &m); err != nil || content.over {
		k.fault("manifest unreadable", about, "The manifest of capture %s (object %s) cannot be read.", c.ID, c.ManifestSHA)
		return
	}
	if len(p.files) == 0 || p.files[0].N != 0 || p.files[0].Kind != candor.ManifestF || p.files[0].SHA != c.ManifestSHA {
		k.fault("row changed", about, "The capture %s does not list its manifest (object %s) as its first file.", c.ID, c.ManifestSHA)
	}
	for _, x := range []struct{ field, manifest, row string }{
		{"id", m.ID, c.ID},
		{"address", m.URL, c.URL},
		{"final address", m.FinalURL, c.FinalURL},
		{"title", m.Title, c.Title},
		{"profile", string(m.Profile), string(c.Profile)},
		{"policy", string(m.Policy), string(c.Policy)},
		{"outcome", string(m.Outcome), string(c.Outcome)},
		{"reason", m.Reason, c.Reason},
		{"HTTP status", fmt.Sprint(m.HTTPStatus), fmt.Sprint(c.HTTPStatus)},
		{"browser", m.Browser, c.Browser},
		{"start", moment(m.Started), moment(c.StartedAt)},
		{"end", moment(m.Finished), moment(c.FinishedAt)},
	} {
		if plain(x.manifest) != plain(x.row) {
			k.fault("row differs from manifest", about, "The %s of capture %s is %q in its manifest and %q in the database.", x.field, c.ID, x.manifest, x.row)
		}
	}
	rows := map[int]candor.Artefact{}
	for _, f := range p.files {
		rows[f.N] = f
	}
	for i, f := range m.Files {
		row, ok := rows[i+1]
		delete(rows, i+1)
		switch {
		case !ok:
			k.fault("row missing", about, "The file %s (%s) of capture %s is in its manifest, but no longer in the database.", f.Path, f.Kind, c.ID)
		case plain(row.Name) != plain(f.Path) || row.Kind != f.Kind || row.SHA != f.SHA256 || row.Size != f.Size || row.MediaType != f.MediaType ||
			row.Width != f.Width || row.Height != f.Height || row.Truncated != f.Truncated ||
			plain(row.Rendition) != plain(f.Rendition):
			k.fault("row differs from manifest", about, "File %d of capture %s is %s (%s, %s, %d bytes) in its manifest and %s (%s, %s, %d bytes) in the database.",
				i+1, c.ID, f.Path, f.Kind, f.SHA256, f.Size, row.Name, row.Kind, row.SHA, row.Size)
		}
	}
	for n, f := range rows {
		if n > 0 {
			k.fault("row differs from manifest", about, "The file %s of capture %s is in the database, but not in its manifest.", f.Name, c.ID)
		}
	}
}

func moment(t time.Time) string { return candor.Moment(t).UTC().Format(time.RFC3339Nano) }

// plain is a text without what databases cannot hold: the zero byte, and runs
// of the mark that stands for bytes that were no text.
func plain(s string) string {
	const mark = "\uFFFD"
	s = strings.ReplaceAll(s, "\x00", mark)
	for strings.Contains(s, mark+mark) {
		s = strings.ReplaceAll(s, mark+mark, mark)
	}
	return s
}
