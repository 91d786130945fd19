package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

type healthCmd struct {
	URL string `help:"What to ask." default:"http://127.0.0.1:8080/readyz"`
}

// Help is shown below the flags' summary.
func (healthCmd) Help() string {
	return "For container health checks: the image holds no other program that could ask."
}

// Run asks once.
func (c *healthCmd) Run(ctx context.Context, w *world) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", c.URL, response.Status)
	}
	fmt.Fprintln(w.stdout, "ready")
	return nil
}
