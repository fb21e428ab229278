package main

import (
	"context"
	"fmt"
)

// WorkerCmd captures and crawls for a portal that runs elsewhere.
type WorkerCmd struct {
	StoreSettings
	WorkSettings
}

// Run works until it is told to stop, then finishes what it has in hand.
func (c WorkerCmd) Run(ctx context.Context, s streams) error {
	if err := c.WorkSettings.check(); err != nil {
		return err
	}
	if c.CaptureWorkers == 0 {
		return usage("a worker with --capture-workers 0 has nothing to do; leave it out or give 1 or more")
	}
	log := c.logger(s.err)
	store, err := c.open(ctx, log, false)
	if err != nil {
		return err
	}
	defer store.Close()
	k, err := openWorks(ctx, c.WorkSettings, store, c.dir(), nil, log)
	if err != nil {
		return err
	}
	defer k.Close()
	fmt.Fprintf(s.out, "candor %s worker: %d browsers\n", version, c.CaptureWorkers)
	return k.run(ctx)
}
