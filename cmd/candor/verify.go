package main

import (
	"context"
	"fmt"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// VerifyCmd checks the archive.
type VerifyCmd struct{ StoreSettings }

// Run reads every entry, row and object, prints each fault on a line of its
// own, and ends with 1 when there is any.
func (c VerifyCmd) Run(ctx context.Context, s streams) error {
	store, err := c.open(ctx, c.logger(s.err), true)
	if err != nil {
		return err
	}
	defer store.Close()
	var progress func(done, total int64)
	if f, ok := s.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		bar := progressbar.Default(-1, "checking")
		progress = func(done, total int64) {
			bar.ChangeMax64(total)
			bar.Set64(done)
		}
		defer bar.Close()
	}
	report, err := store.Verify(ctx, c.dir(), progress)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	for _, f := range report.Faults {
		fmt.Fprintf(s.out, "FAULT %s: %s: %s\n", f.Subject, f.What, f.Detail)
	}
	fmt.Fprintf(s.out, "%d log entries, %d captures, %d objects, %d bytes checked: ", report.Entries, report.Captures, report.Objects, report.Bytes)
	if len(report.Faults) > 0 {
		fmt.Fprintf(s.out, "%d faults\n", len(report.Faults))
		return &exitError{code: 1}
	}
	fmt.Fprintln(s.out, "sound")
	return nil
}
