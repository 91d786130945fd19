package oidc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	// patience is how long a provider has for one answer.
	patience = 5 * time.Second
	// maxAnswer is far more than any provider's configuration, keys or tokens take, in bytes.
	maxAnswer = 256 << 10
	most      = 8 // requests at once
)

var (
	errRedirect = errors.New("it redirects to another host, or for ever")
	errTooLarge = errors.New("its answer is too large")
)

func newClient() *http.Client {
	return &http.Client{
		Timeout: patience,
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			if first := before[0].URL; next.URL.Host != first.Host || next.URL.Scheme != first.Scheme || len(before) > 3 {
				return errRedirect
			}
			return nil
		},
		Transport: bounded{&http.Transport{
			DisableCompression: true, MaxConnsPerHost: most, MaxIdleConnsPerHost: most, IdleConnTimeout: time.Minute,
			TLSHandshakeTimeout: patience, MaxResponseHeaderBytes: 16 << 10,
		}},
	}
}

// bounded has an answer that is too large, or that is a fault of the server's own, be a failure of the connection: those who read answers read all of them.
type bounded struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxAnswer:
		return nil, errTooLarge
	case response.StatusCode >= 500:
		return nil, fmt.Errorf("it answers with status %d", response.StatusCode)
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return response, nil
}

// unreached finds why a server could not be asked, nil when it was. The address is left out, and whatever it holds.
func unreached(err error) error {
	var failure *url.Error
	if errors.As(err, &failure) {
		return failure.Err
	}
	return nil
}

// CheckIssuer says whether an address can be an issuer's (OpenID Connect Discovery 1.0 section 3), and secrets be sent to it.
func CheckIssuer(text string) error {
	if u, err := url.Parse(text); err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%q is not an address such as https://login.example", text)
	}
	return checkAddress(text)
}

// checkAddress says whether secrets may be sent to an address: by https, or by http on this machine alone.
func checkAddress(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%q is not an address such as https://login.example", text)
	}
	loopback := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback) {
		return fmt.Errorf("%q must begin with https://; http:// is for this machine alone", text)
	}
	return nil
}
