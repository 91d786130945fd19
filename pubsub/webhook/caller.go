package webhook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// ErrRefused says that nothing was sent since the address that a target's name stands for is not called; errors.Is finds it.
var ErrRefused = errors.New("the target's address is not called")

const (
	dialLimit    = 3 * time.Second
	headerBytes  = 16 << 10
	answerBytes  = 4 << 10 // as much of an answer as helps somebody to see what went wrong
	idleConns    = 100
	idleConnLife = 30 * time.Second
)

// Config tunes a Caller; zero fields get defaults.
type Config struct {
	// Limit is how long one call may take, from looking up the name to the end of the answer; 15 s.
	Limit time.Duration
	// Allow are blocks that are called although they are not public, for receivers in a network of one's own; none.
	Allow []netip.Prefix
	// Ports are the ports that are called; 443 and 8443.
	Ports []uint16
	// Roots are the authorities that receivers' certificates are believed of; the system's.
	Roots *x509.CertPool
	// Resolver looks names up; the system's.
	Resolver *net.Resolver
}

// Caller calls targets.
type Caller struct {
	config Config
	client *http.Client
}

// NewCaller makes a Caller; Close lets its idle connections go.
func NewCaller(config Config) *Caller {
	config.Limit = cmp.Or(config.Limit, 15*time.Second)
	if config.Ports == nil {
		config.Ports = usualPorts
	}
	c := &Caller{config: config}
	dialer := &net.Dialer{Timeout: dialLimit, Resolver: config.Resolver, Control: c.judge}
	c.client = &http.Client{
		Timeout: config.Limit,
		// Where a redirect leads nobody has looked at, and a receiver that moved can say so to the merchant.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  nil, // a proxy would connect for us, and judge nothing
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: config.Roots},
			TLSHandshakeTimeout:    dialLimit,
			ForceAttemptHTTP2:      true,
			MaxResponseHeaderBytes: headerBytes,
			MaxIdleConns:           idleConns,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        idleConnLife,
			DisableCompression:     true, // of an answer that unpacks to gigabytes
		},
	}
	return c
}

// Close lets idle connections go.
func (c *Caller) Close() { c.client.CloseIdleConnections() }

// judge is called with each address, as a number, when the system is about to connect to it.
func (c *Caller) judge(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %q is no address", ErrRefused, address)
	}
	if !slices.Contains(c.config.Ports, to.Port()) {
		return fmt.Errorf("%w: port %d", ErrRefused, to.Port())
	}
	own, err := ownAddresses()
	if err != nil {
		return fmt.Errorf("%w: whether it is this machine's own cannot be told: %w", ErrRefused, err)
	}
	if why := refusal(to.Addr(), c.config.Allow, own); why != "" {
		return fmt.Errorf("%w: it is in %s", ErrRefused, why)
	}
	return nil
}

func ownAddresses() ([]netip.Addr, error) {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var own []netip.Addr
	for _, a := range found {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, prefix.Addr())
		}
	}
	return own, nil
}

// Answer is what a receiver said.
type Answer struct {
	Status int    // as it was sent; 3xx is an answer like any other
	Body   []byte // its first 4,096 bytes
}

// Post sends a body once. Errors: ErrRefused, and whatever keeps an answer from coming; neither tells whether the receiver got it, so who repeats must
// send what can be told apart.
func (c *Caller) Post(ctx context.Context, to Target, header http.Header, body []byte) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	request.Header = header.Clone()
	response, err := c.client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	// The status is the answer. Of what comes with it, whatever came in time will do.
	said, _ := io.ReadAll(io.LimitReader(response.Body, answerBytes))
	return Answer{Status: response.StatusCode, Body: said}, nil
}
