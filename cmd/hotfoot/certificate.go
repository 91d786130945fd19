package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateCheck is how often a handshake looks whether the files have changed.
const certificateCheck = 5 * time.Second

// certificate is a node's own, read again when its files change, so that whoever renews it need not restart the node. While the new files cannot be read, or
// are not each other's since only one was written so far, the old one goes on.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	loaded  *tls.Certificate
	written [2]time.Time // the files', as they were loaded
	failed  [2]time.Time // the files', as they could not be; said once
	checked time.Time
}

// newCertificate reads the files for the first time.
func newCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log, checked: time.Now()}
	written, err := c.modified()
	if err != nil {
		return nil, err
	}
	return c, c.load(written)
}

// config is how connections are taken: HTTP/1.1 alone, which is what sockets are upgraded from and what every limit here was tried with.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: c.get}
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= certificateCheck {
		c.checked = now
		c.refresh()
	}
	return c.loaded, nil
}

// refresh reads the files when they have changed. Called with mu held.
func (c *certificate) refresh() {
	written, err := c.modified()
	if err == nil && written == c.written {
		return
	}
	if err == nil {
		err = c.load(written)
	}
	if err != nil {
		if written != c.failed {
			c.log.Error("the new certificate cannot be read; the old one goes on", "error", err)
		}
		c.failed = written
		return
	}
	c.log.Info("the certificate was read again", "until", c.loaded.Leaf.NotAfter)
}

func (c *certificate) load(written [2]time.Time) error {
	loaded, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("HOTFOOT_TLS_CERT, HOTFOOT_TLS_KEY: %w", err)
	}
	c.loaded, c.written = &loaded, written
	return nil
}

func (c *certificate) modified() (written [2]time.Time, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return written, fmt.Errorf("HOTFOOT_TLS_CERT, HOTFOOT_TLS_KEY: %w", err)
		}
		written[i] = info.ModTime()
	}
	return written, nil
}
