package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures"
	"github.com/candor-archive/candor/portal"
	"github.com/candor-archive/candor/portal/auth"
	"github.com/candor-archive/candor/portal/desk"
	"github.com/candor-archive/candor/portal/law"
	"github.com/candor-archive/candor/portal/mail"
	"github.com/candor-archive/candor/storage"
	"github.com/candor-archive/candor/storage/durable"
	"github.com/candor-archive/candor/storage/layout"
	"github.com/candor-archive/candor/storage/queue"
)

// ServeCmd runs everything in one process.
type ServeCmd struct {
	StoreSettings
	WorkSettings
	Addr        string        `help:"Address the portal listens on." default:":8080" env:"CANDOR_ADDR"`
	ExhibitAddr string        `help:"Address archived pages are shown from, apart from the portal; the next port when left out." env:"CANDOR_EXHIBIT_ADDR" placeholder:"ADDR"`
	URL         string        `help:"Where people reach the portal, as in mails: https://records.example.gov." env:"CANDOR_URL" placeholder:"URL"`
	ExhibitURL  string        `help:"Where their browsers reach archived pages; best a domain of its own." env:"CANDOR_EXHIBIT_URL" placeholder:"URL"`
	SMTP        string        `help:"smtp://user:password@host:587 to send mail; without it staff read it in the outbox." env:"CANDOR_SMTP" placeholder:"URL"`
	MailFrom    string        `help:"Sender of mails; the agency's address when left out." env:"CANDOR_MAIL_FROM" placeholder:"ADDRESS"`
	Proxied     bool          `help:"A reverse proxy of yours stands in front; believe the address it adds to X-Forwarded-For." env:"CANDOR_PROXIED"`
	Sample      bool          `help:"Start with a pretend city and its people, to look around. Uses data-sample unless --data is given."`
	Story       time.Duration `help:"How long the pretend city's story takes." default:"6m"`
}

func (c *ServeCmd) check() error {
	if err := c.StoreSettings.check(); err != nil {
		return err
	}
	if err := c.WorkSettings.check(); err != nil {
		return err
	}
	for _, x := range []struct{ name, value string }{{"--addr", c.Addr}, {"--exhibit-addr", c.ExhibitAddr}} {
		if x.value == "" {
			continue
		}
		_, port, err := net.SplitHostPort(x.value)
		if _, numErr := strconv.ParseUint(port, 10, 16); err != nil || numErr != nil {
			return usage(fmt.Sprintf("%s must look like :8080 or 127.0.0.1:8080, not %q", x.name, x.value))
		}
	}
	for _, x := range []struct{ name, value string }{{"--url", c.URL}, {"--exhibit-url", c.ExhibitURL}} {
		if x.value != "" && !strings.HasPrefix(x.value, "https://") && !strings.HasPrefix(x.value, "http://") {
			return usage(fmt.Sprintf("%s must start with https:// or http://, not %q", x.name, x.value))
		}
	}
	return nil
}

// Run serves until ctx ends, then lets what is in hand finish.
func (c *ServeCmd) Run(ctx context.Context, s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	var server *mail.Server
	if c.SMTP != "" {
		var err error
		if server, err = mail.ParseServer(c.SMTP, c.MailFrom); err != nil {
			return usage(err.Error())
		}
	}
	if c.Sample && c.Data == "" {
		c.Data = "data-sample"
	}
	log := c.logger(s.err)

	site, exhibits, err := c.listen()
	if err != nil {
		return err
	}
	defer site.Close()
	defer exhibits.Close()

	store, err := c.open(ctx, log, false)
	if err != nil {
		return err
	}
	defer store.Close()

	var city *fixtures.City
	var logins string
	var allow []string
	if c.Sample {
		if city, err = startCity(ctx, c.dir(), c.Story, log); err != nil {
			return err
		}
		defer city.Close()
		allow = city.Hosts
		if logins, err = seedSample(ctx, store, city, c.dir()); err != nil {
			return err
		}
	} else if _, err := os.Stat(filepath.Join(c.dir(), sampleLogins)); err == nil {
		return usage("the archive in " + c.dir() + " belongs to the pretend city; add --sample, or give your own archive a folder with --data")
	}

	k, err := openWorks(ctx, c.WorkSettings, store, c.dir(), allow, log)
	if err != nil {
		return err
	}
	defer k.Close()
	store.Notify((&mail.Composer{BaseURL: c.URL}).Notice)
	deliverer := &mail.Deliverer{Outbox: store, Server: server, Log: log}
	queue.Handle(store.Jobs(), queue.Options{Workers: 2, Timeout: time.Minute, MaxAttempts: 8},
		func(ctx context.Context, job candor.MailJob, _ queue.Attempt) error {
			return deliverer.Deliver(ctx, job)
		})

	web, setupToken, err := c.portal(ctx, k, log)
	if err != nil {
		return err
	}
	c.greet(s.out, city, logins, setupToken)

	g, ctx := errgroup.WithContext(ctx)
	serveHTTP(ctx, g, site, web.Site)
	serveHTTP(ctx, g, exhibits, web.Exhibits)
	g.Go(func() error { return k.run(ctx) })
	g.Go(func() error { tellOfSources(ctx, store, log); return nil })
	err = g.Wait()
	fmt.Fprintln(s.out, "stopped")
	return err
}

// listen opens both ports before anything else, so that a port in use is said
// at once, and fills in the addresses people are told.
func (c *ServeCmd) listen() (site, exhibits net.Listener, err error) {
	if site, err = net.Listen("tcp", c.Addr); err != nil {
		return nil, nil, usage(fmt.Sprintf("cannot listen on %s (%v); choose another with --addr", c.Addr, err))
	}
	addr := c.ExhibitAddr
	if addr == "" {
		host, port, _ := net.SplitHostPort(c.Addr) // checked before
		n, _ := strconv.Atoi(port)
		if n != 0 {
			n++
		}
		addr = net.JoinHostPort(host, strconv.Itoa(n))
	}
	if exhibits, err = net.Listen("tcp", addr); err != nil {
		site.Close()
		return nil, nil, usage(fmt.Sprintf("cannot listen on %s for archived pages (%v); choose another with --exhibit-addr", addr, err))
	}
	if c.URL == "" {
		c.URL = localURL(site)
	}
	if c.ExhibitURL == "" {
		c.ExhibitURL = localURL(exhibits)
	}
	c.URL, c.ExhibitURL = strings.TrimSuffix(c.URL, "/"), strings.TrimSuffix(c.ExhibitURL, "/")
	return site, exhibits, nil
}

func localURL(l net.Listener) string {
	host, port, _ := net.SplitHostPort(l.Addr().String()) // a listener's address always splits
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// portal builds the web side. The set-up token is empty when the agency exists.
func (c *ServeCmd) portal(ctx context.Context, k *works, log *slog.Logger) (*portal.Server, string, error) {
	store := k.store
	secret, err := durable.Keep(layout.PortalKey(c.dir()), 0o600, func() ([]byte, error) { return []byte(candor.NewSecret()), nil })
	if err != nil {
		return nil, "", fmt.Errorf("read the portal's key: %w", err)
	}
	var setup *auth.Setup
	token := ""
	if _, err := store.Agency(ctx); candor.IsKind(err, candor.NotFound) {
		setup, token = auth.NewSetup()
	} else if err != nil {
		return nil, "", err
	}
	laws := law.Library{Dir: layout.Laws(c.dir())}
	web, err := portal.New(portal.Config{
		Store:      store,
		Public:     store.Public(),
		Desk:       desk.New(desk.Config{Store: store, Law: laws.Load, BaseURL: c.URL, Log: log}),
		Sessions:   auth.NewSessions(auth.Config{Store: store, BaseURL: c.URL, Log: log}),
		Setup:      setup,
		Law:        laws,
		BaseURL:    c.URL,
		ExhibitURL: c.ExhibitURL,
		Secret:     secret,
		Proxied:    c.Proxied,
		Access:     k.access,
		Sample:     c.Sample,
		Now:        time.Now,
		Log:        log,
	})
	return web, token, err
}

// tellOfSources has the reminders written that are due, until ctx ends. What a
// visit meets is told with the visit; this is for the passing of time.
func tellOfSources(ctx context.Context, store *storage.Store, log *slog.Logger) {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		if err := store.TellOfSources(ctx); err != nil && ctx.Err() == nil {
			log.Error("tell of sources in trouble", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// greet says where to go.
func (c *ServeCmd) greet(out io.Writer, city *fixtures.City, logins, setupToken string) {
	fmt.Fprintf(out, "\nCandor %s is running.\n\n", version)
	fmt.Fprintf(out, "  Public portal:   %s/\n  Staff:           %s/staff\n", c.URL, c.URL)
	if setupToken != "" {
		fmt.Fprintf(out, "\nThis archive is new. Set it up (this link works once):\n  %s/setup?token=%s\n", c.URL, setupToken)
	}
	if city == nil && !strings.HasPrefix(c.URL, "https://") {
		fmt.Fprintf(out, "\nThis portal speaks plain HTTP: passwords and private links can be read on the way. Before others use it,\nput a web server with HTTPS in front and start with --url https://… --exhibit-url https://… --proxied.\n")
	}
	if city != nil {
		fmt.Fprintf(out, "  Pretend Facebook-like page:  %s\n  Pretend city website:        %s\n", city.PageURL, city.SiteURL)
		fmt.Fprintf(out, "\nStaff of the pretend city:\n%s\nWatch the archive notice what happens there over the next %s.\n", logins, c.Story)
	}
	fmt.Fprintf(out, "\nArchive folder:  %s     Stop with Ctrl-C.\n\n", c.dir())
}

// serveHTTP serves until ctx ends, then gives requests in hand ten seconds.
func serveHTTP(ctx context.Context, g *errgroup.Group, l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute,
		WriteTimeout: 10 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	g.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return server.Shutdown(stop)
	})
}
