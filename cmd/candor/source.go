package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/candor-archive/candor"
)

// SourceCmd holds the commands on sources.
type SourceCmd struct {
	Add    SourceAddCmd    `cmd:"" help:"Add an account or site."`
	List   SourceListCmd   `cmd:"" help:"List them with their last visit."`
	Pause  SourcePauseCmd  `cmd:"" help:"Stop visiting one; --resume goes on."`
	Remove SourceRemoveCmd `cmd:"" help:"Stop visiting one for good. Its records stay."`
}

// SourceAddCmd adds a source.
type SourceAddCmd struct {
	StoreSettings
	Kind       string        `arg:"" help:"facebook, instagram, threads, youtube, x, nextdoor, bluesky, mastodon, website or page." enum:"facebook,instagram,threads,youtube,x,nextdoor,bluesky,mastodon,website,page"`
	URL        string        `arg:"" help:"Where a visitor finds it."`
	Name       string        `help:"What staff and public call it; the address when left out."`
	APIURL     string        `help:"Base address of the platform's API, when it is not the platform's own." name:"api-url" placeholder:"URL"`
	TokenFile  string        `help:"File holding the platform's access token." type:"existingfile" placeholder:"FILE" env:"-"`
	Language   string        `help:"What it is mostly written in." enum:"en,es" default:"en"`
	Department string        `help:"Department that answers for it."`
	Owner      string        `help:"Email address of who is told when it can't be read; every administrator when left out." placeholder:"ADDRESS"`
	Private    bool          `help:"Keep what it shows out of the public archive."`
	Every      time.Duration `help:"How often it is looked at." default:"5m"`
}

// Run adds the source; the first visit follows at once in a running portal.
func (c SourceAddCmd) Run(ctx context.Context, s streams) error {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return usage(fmt.Sprintf("%q is not a web address; it must start with https:// or http://", c.URL))
	}
	if u.User != nil {
		return usage("the address for " + u.Host + " holds a user name or password, which would be kept for ever: take it out")
	}
	if c.Every < time.Second {
		return usage("--every must be at least one second, for example 5m")
	}
	token := ""
	if c.TokenFile != "" {
		b, err := os.ReadFile(c.TokenFile)
		if err != nil {
			return usage("cannot read the token: " + err.Error())
		}
		token = strings.TrimSpace(string(b))
	}
	if candor.SourceKind(c.Kind).NeedsToken() && token == "" {
		return usage("a " + c.Kind + " source needs an access token; put it into a file and name it with --token-file")
	}
	store, err := c.open(ctx, c.logger(s.err), true)
	if err != nil {
		return err
	}
	defer store.Close()
	now := time.Now()
	name := c.Name
	if name == "" {
		name = u.Host + strings.TrimSuffix(u.Path, "/")
	}
	id := candor.NewID()
	err = store.AddSource(ctx, candor.Source{
		ID: id, Kind: candor.SourceKind(c.Kind), Name: name, URL: u.String(), APIURL: c.APIURL,
		Language: c.Language, Department: c.Department, Owner: c.Owner, Public: !c.Private, Every: c.Every,
		NextPollAt: candor.Moment(now), CreatedAt: candor.Moment(now),
	}, token, whoAmI())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "added %s (%s)\n", name, id)
	return err
}

// SourceListCmd lists sources.
type SourceListCmd struct{ StoreSettings }

// Run prints one line a source.
func (c SourceListCmd) Run(ctx context.Context, s streams) error {
	store, err := c.open(ctx, c.logger(s.err), true)
	if err != nil {
		return err
	}
	defer store.Close()
	sources, err := store.Sources(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tKIND\tNAME\tADDRESS\tEVERY\tLAST VISIT\tSTATE")
	for _, x := range sources {
		last, state := "never", "active"
		if !x.LastPollAt.IsZero() {
			last = x.LastPollAt.Format("2006-01-02 15:04 UTC")
		}
		switch {
		case x.Paused:
			state = "paused"
		case x.LastError != "":
			state = "failing: " + oneLine(x.LastError)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.ID, x.Kind, x.Name, x.URL, x.Every, last, state)
	}
	return w.Flush()
}

// SourcePauseCmd pauses or resumes a source.
type SourcePauseCmd struct {
	StoreSettings
	ID     string `arg:"" help:"Its id, from candor source list."`
	Resume bool   `help:"Go on visiting it."`
}

// Run pauses the source.
func (c SourcePauseCmd) Run(ctx context.Context, s streams) error {
	store, err := c.open(ctx, c.logger(s.err), true)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := store.SetSourcePaused(ctx, c.ID, !c.Resume, whoAmI()); err != nil {
		return err
	}
	word := "paused"
	if c.Resume {
		word = "resumed"
	}
	_, err = fmt.Fprintln(s.out, word, c.ID)
	return err
}

// SourceRemoveCmd removes a source.
type SourceRemoveCmd struct {
	StoreSettings
	ID string `arg:"" help:"Its id, from candor source list."`
}

// Run removes the source from the list; its records stay in the archive.
func (c SourceRemoveCmd) Run(ctx context.Context, s streams) error {
	store, err := c.open(ctx, c.logger(s.err), true)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := store.RemoveSource(ctx, c.ID, whoAmI()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, "removed", c.ID+"; its records stay in the archive")
	return err
}
