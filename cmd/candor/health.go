package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// HealthCmd asks a running portal whether it is ready, for container checks.
type HealthCmd struct {
	Addr string `help:"Address the portal listens on." default:":8080" env:"CANDOR_ADDR"`
}

// Run fails with exit code 1 unless /readyz answers 200 within five seconds.
func (c HealthCmd) Run(ctx context.Context, s streams) error {
	host := c.Addr
	if strings.HasPrefix(host, ":") {
		host = "127.0.0.1" + host
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/readyz", nil)
	if err != nil {
		return usage("--addr must look like :8080 or host:8080")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return &exitError{1, "not ready: " + err.Error()}
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return &exitError{1, "not ready: " + res.Status}
	}
	_, err = fmt.Fprintln(s.out, "ready")
	return err
}
