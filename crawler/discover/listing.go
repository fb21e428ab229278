package discover

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"
	"golang.org/x/net/html/charset"
)

// entry is one page that a feed or a sitemap names.
type entry struct {
	address string
	posted  time.Time
}

// maxUnpacked bounds what a compressed sitemap may grow to: the standard's own
// limit.
const maxUnpacked = 50 << 20

// unpack undoes gzip, recognised by its first bytes: servers label compressed
// sitemaps in every way there is.
func unpack(body []byte) ([]byte, error) {
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	out, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	if len(out) > maxUnpacked {
		return nil, errors.New("unpack: larger than a sitemap may be")
	}
	return out, nil
}

// parseSitemap reads a sitemap or an index of sitemaps.
func parseSitemap(body []byte) (pages []entry, children []string, err error) {
	if body, err = unpack(body); err != nil {
		return nil, nil, err
	}
	var doc struct {
		XMLName xml.Name
		URLs    []struct {
			Loc string `xml:"loc"`
		} `xml:"url"`
		Maps []struct {
			Loc string `xml:"loc"`
		} `xml:"sitemap"`
	}
	dec := xml.NewDecoder(bytes.NewReader(body))
	dec.CharsetReader = charset.NewReaderLabel
	dec.Strict = false
	if err := dec.Decode(&doc); err != nil {
		return nil, nil, fmt.Errorf("read sitemap: %w", err)
	}
	if doc.XMLName.Local != "urlset" && doc.XMLName.Local != "sitemapindex" {
		return nil, nil, fmt.Errorf("not a sitemap but <%s>", doc.XMLName.Local)
	}
	for _, u := range doc.URLs {
		pages = append(pages, entry{address: strings.TrimSpace(u.Loc)})
	}
	for _, m := range doc.Maps {
		children = append(children, strings.TrimSpace(m.Loc))
	}
	return pages, children, nil
}

// parseFeed reads RSS, Atom or JSON Feed.
func parseFeed(body []byte) (entries []entry, err error) {
	defer func() {
		// A feed comes from outside; a fault in its parser must not end a poll.
		if r := recover(); r != nil {
			entries, err = nil, fmt.Errorf("read feed: %v", r)
		}
	}()
	feed, err := gofeed.NewParser().Parse(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("read feed: %w", err)
	}
	for _, item := range feed.Items {
		e := entry{address: strings.TrimSpace(item.Link)}
		if e.address == "" && strings.HasPrefix(item.GUID, "http") {
			e.address = item.GUID
		}
		if item.PublishedParsed != nil && item.PublishedParsed.Year() > 1 && item.PublishedParsed.Year() < 10000 {
			e.posted = *item.PublishedParsed
		}
		if e.address != "" {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// sitemapLines finds the sitemaps a robots.txt names.
func sitemapLines(robots []byte) []string {
	var out []string
	for line := range strings.Lines(string(robots)) {
		name, value, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(strings.TrimSpace(name), "sitemap") && strings.TrimSpace(value) != "" {
			out = append(out, strings.TrimSpace(value))
		}
	}
	return out
}
