package main

import (
	"context"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage"
	"github.com/candor-archive/candor/storage/layout"
)

// secretsFromFiles lets any setting CANDOR_X come from the file that
// CANDOR_X_FILE names, as container secrets do.
func secretsFromFiles(environ []string, set func(key, value string) error) error {
	for _, line := range environ {
		key, path, _ := strings.Cut(line, "=")
		name, isFile := strings.CutSuffix(key, "_FILE")
		if !isFile || !strings.HasPrefix(name, "CANDOR_") || path == "" {
			continue
		}
		value, err := os.ReadFile(path)
		if err != nil {
			return usage("cannot read the file that " + key + " names: " + err.Error())
		}
		if err := set(name, strings.TrimSpace(string(value))); err != nil {
			return err
		}
	}
	return nil
}

// StoreSettings say where the archive is. With none, it is one folder.
type StoreSettings struct {
	Data      string `help:"Folder of the archive: database, objects, keys. (default data)" type:"path" env:"CANDOR_DATA" placeholder:"DIR"`
	Database  string `help:"postgres://… to keep metadata, requests and jobs in PostgreSQL instead of a file." env:"CANDOR_DATABASE" placeholder:"URL"`
	Objects   string `help:"s3://KEY:SECRET@host:port/bucket to keep objects in a bucket instead of a folder." env:"CANDOR_OBJECTS" placeholder:"URL"`
	Search    string `help:"http://host:7700 to search with Meilisearch instead of the embedded index." env:"CANDOR_SEARCH" placeholder:"URL"`
	SearchKey string `help:"Key for Meilisearch." env:"CANDOR_SEARCH_KEY" placeholder:"KEY"`
	Log       string `help:"How much is logged: debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"CANDOR_LOG"`
}

// dir is the folder of the archive.
func (s StoreSettings) dir() string {
	if s.Data == "" {
		return "data"
	}
	return s.Data
}

// check refuses settings that cannot be meant, before anything is touched.
func (s StoreSettings) check() error {
	for _, x := range []struct{ name, value, want string }{
		{"CANDOR_DATABASE", s.Database, "postgres postgresql"},
		{"CANDOR_OBJECTS", s.Objects, "s3"},
		{"CANDOR_SEARCH", s.Search, "http https"},
	} {
		if x.value == "" {
			continue
		}
		u, err := url.Parse(x.value)
		if err != nil || u.Host == "" || !strings.Contains(" "+x.want+" ", " "+u.Scheme+" ") {
			return usage(x.name + " must be an address starting with " + strings.ReplaceAll(x.want, " ", ":// or ") + "://, or be left out")
		}
	}
	return nil
}

// logger writes lines for people to w.
func (s StoreSettings) logger(w io.Writer) *slog.Logger {
	level := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}[s.Log]
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// open opens the archive. With mustExist it refuses to begin a new one.
func (s StoreSettings) open(ctx context.Context, log *slog.Logger, mustExist bool) (*storage.Store, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if mustExist && s.Database == "" {
		if _, err := os.Stat(layout.Database(s.dir())); err != nil {
			return nil, usage("there is no archive in " + s.dir() + "; start one with `candor serve`, or name its folder with --data")
		}
	}
	store, err := storage.Open(ctx, storage.Config{Dir: s.dir(), Database: s.Database, Objects: s.Objects,
		Search: s.Search, SearchKey: s.SearchKey, Log: log})
	if err != nil {
		return nil, candor.Errorf(candor.KindOf(err), "open the archive in %s: %w", s.dir(), err)
	}
	return store, nil
}

// whoAmI names the person at the terminal, for the evidence log.
func whoAmI() string {
	for _, key := range []string{"SUDO_USER", "USER", "LOGNAME"} {
		if v := os.Getenv(key); v != "" {
			return "terminal: " + v
		}
	}
	return "terminal"
}
