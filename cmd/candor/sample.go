package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures"
	"github.com/candor-archive/candor/portal/auth"
	"github.com/candor-archive/candor/storage"
)

// sampleStaff are the people of the pretend city, one a role that matters in
// the story of a request.
var sampleStaff = []candor.User{
	{Email: "clerk@larkspur.example", Name: "Ana Ruiz", Roles: []candor.Role{candor.Clerk}, Language: "en"},
	{Email: "officer@larkspur.example", Name: "Marcus Bell", Roles: []candor.Role{candor.Officer}, Language: "en"},
	{Email: "comms@larkspur.example", Name: "Priya Nair", Roles: []candor.Role{candor.Comms}, Language: "en"},
	{Email: "admin@larkspur.example", Name: "Dale Whitaker", Roles: []candor.Role{candor.Admin, candor.Operator}, Language: "en"},
}

const sampleLogins = "sample-logins.txt"

// startCity starts the pretend city at the addresses it had before, so that
// an archive made of it still finds it after a restart.
func startCity(ctx context.Context, dir string, story time.Duration, log *slog.Logger) (*fixtures.City, error) {
	city, err := fixtures.Start(ctx, fixtures.Options{Story: story, StateFile: filepath.Join(dir, "sample-city.json"), Log: log})
	if err != nil {
		return nil, fmt.Errorf("start the pretend city: %w", err)
	}
	return city, nil
}

// seedSample gives a new archive the pretend city's agency, people and
// sources, and says how to sign in. It refuses an archive that is not a
// sample. The agency is written last, so that a seeding cut short runs again.
func seedSample(ctx context.Context, store *storage.Store, city *fixtures.City, dir string) (logins string, err error) {
	path := filepath.Join(dir, sampleLogins)
	known, err := os.ReadFile(path)
	isSample := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	_, err = store.Agency(ctx)
	switch {
	case err == nil && isSample:
		return string(known), nil
	case err == nil:
		return "", usage("the archive in " + dir + " is a real one; give --sample a folder of its own with --data")
	case !candor.IsKind(err, candor.NotFound):
		return "", err
	}
	var password string
	if fields := strings.Fields(string(known)); len(fields) > 0 {
		password = fields[len(fields)-1]
	} else {
		password = samplePassword()
		for _, u := range sampleStaff {
			logins += fmt.Sprintf("  %-26s %s\n", u.Email, u.Roles[0])
		}
		logins += "  password for all of them:  " + password + "\n"
		if err := os.WriteFile(path, []byte(logins), 0o600); err != nil {
			return "", err
		}
	}
	return logins, seed(ctx, store, city, password)
}

func seed(ctx context.Context, store *storage.Store, city *fixtures.City, password string) error {
	const by = "sample"
	now := candor.Moment(time.Now())
	for _, u := range sampleStaff {
		u.ID, u.PasswordHash, u.CreatedAt = candor.NewID(), auth.HashPassword(password), now
		if err := store.CreateUser(ctx, u, by); err != nil && !candor.IsKind(err, candor.Conflict) {
			return err
		}
	}
	existing, err := store.Sources(ctx)
	if err != nil {
		return err
	}
	sources := []candor.Source{
		{Kind: candor.SourceFacebook, Name: "Larkspur Police Department on Townsquare", URL: city.PageURL, APIURL: city.APIURL,
			Department: "Police", Every: 10 * time.Second},
		{Kind: candor.SourceWebsite, Name: "City of Larkspur website", URL: city.SiteURL,
			Department: "City Secretary", Every: 30 * time.Second},
	}
	for _, x := range sources[min(len(existing), len(sources)):] {
		token := ""
		if x.Kind == candor.SourceFacebook {
			token = city.Token
		}
		x.Owner = "comms@larkspur.example"
		x.ID, x.Language, x.Public, x.CreatedAt, x.NextPollAt = candor.NewID(), "en", true, now, now
		if err := store.AddSource(ctx, x, token, by); err != nil {
			return err
		}
	}
	return store.SaveAgency(ctx, candor.Agency{Name: "City of Larkspur", Short: "LPD", Email: "records@larkspur.example",
		Phone: "(281) 555-0148", Address: "100 Magnolia Street, Larkspur, Texas", TimeZone: "America/Chicago",
		Jurisdiction: "us-tx", CreatedAt: now}, by)
}

// samplePassword is easy to type and not the same everywhere, since the sample
// may be reachable by others on the network.
func samplePassword() string {
	s := candor.NewID()
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:16]
}
