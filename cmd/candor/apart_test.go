package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures"
	"github.com/candor-archive/candor/internal/pgtest"
	"github.com/candor-archive/candor/storage"
	"github.com/candor-archive/candor/storage/storagetest"
)

// TestPortalAndWorkerShareADatabaseAndABucket runs the program as a larger
// agency does: PostgreSQL, an S3 bucket, a portal that captures nothing and a
// worker beside it.
func TestPortalAndWorkerShareADatabaseAndABucket(t *testing.T) {
	city, err := fixtures.Start(t.Context(), fixtures.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer city.Close()
	database := pgtest.Start(t)
	objects, _ := storagetest.S3(t, "archive")
	dir := filepath.Join(t.TempDir(), "archive")
	shared := []string{"--database", database, "--objects", objects}
	store, err := storage.Open(context.Background(), storage.Config{Dir: dir, Database: database, Objects: objects})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	now := candor.Moment(time.Now())
	agency := candor.Agency{Name: "City of Larkspur", Short: "LPD", TimeZone: "America/Chicago", Jurisdiction: "us-tx", CreatedAt: now}
	source := candor.Source{ID: candor.NewID(), Kind: candor.SourceFacebook, Name: "Police", URL: city.PageURL, APIURL: city.APIURL,
		Language: "en", Public: true, Every: time.Hour, CreatedAt: now, NextPollAt: now}
	if err := store.SaveAgency(t.Context(), agency, "test"); err != nil {
		t.Fatal(err)
	}
	if err := store.AddSource(t.Context(), source, city.Token, "test"); err != nil {
		t.Fatal(err)
	}

	portal := serve(t, dir, append([]string{"--capture-workers", "0", "--allow-private"}, shared...)...)
	worker := launch(t, append([]string{"worker", "--data", dir, "--allow-private", "--capture-workers", "1"}, shared...)...)
	worker.until(3*time.Minute, "the worker has made three captures", func() bool {
		return len(captured.FindAllString(worker.logged(), -1)) >= 3
	})
	if captured.MatchString(portal.logged()) {
		t.Error("the portal captured although it was told not to")
	}
	if _, page := portal.get("/"); !strings.Contains(page, `href="/archive/`) {
		t.Error("the portal's front page shows nothing of what the worker captured")
	}
	worker.stop()
	portal.stop()
	if out, errs, code := command(t, append([]string{"verify", "--data", dir}, shared...)...); code != 0 {
		t.Errorf("verify: exit %d\n%s%s", code, out, errs)
	}
}
