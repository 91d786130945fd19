package main

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/api"
	"hotfoot/tracking/oidc"
)

// oidcFlags say which OpenID provider knows dispatchers.
type oidcFlags struct {
	OIDCIssuer       string `name:"oidc-issuer" help:"OpenID provider with which dispatchers may sign in, such as https://login.example/realms/kitchen." env:"HOTFOOT_OIDC_ISSUER" placeholder:"URL"`
	OIDCClientID     string `name:"oidc-client-id" help:"What it knows us by." env:"HOTFOOT_OIDC_CLIENT_ID" placeholder:"ID"`
	OIDCClientSecret string `name:"oidc-client-secret" help:"The secret that goes with it; none for a public client." env:"HOTFOOT_OIDC_CLIENT_SECRET" placeholder:"SECRET"`
	OIDCMerchant     string `name:"oidc-merchant" help:"Id of the merchant whose dispatchers these are." env:"HOTFOOT_OIDC_MERCHANT" placeholder:"ID"`
	OIDCRequire      string `name:"oidc-require" help:"Claim that says who may sign in, such as groups=dispatch; * for everybody who has an account." env:"HOTFOOT_OIDC_REQUIRE" placeholder:"CLAIM=VALUE"`
	OIDCName         string `name:"oidc-name" help:"What people call the provider; the issuer's host by default." env:"HOTFOOT_OIDC_NAME" placeholder:"NAME"`
}

// validate wants all of it, or nothing. Errors name the setting.
func (f oidcFlags) validate(publicURL string) error {
	if f == (oidcFlags{}) {
		return nil
	}
	if f.OIDCIssuer == "" {
		return errors.New("HOTFOOT_OIDC_ISSUER is not set, and other settings of the sign-in are: give the provider's address, or none of them")
	}
	if err := oidc.CheckIssuer(f.OIDCIssuer); err != nil {
		return fmt.Errorf("HOTFOOT_OIDC_ISSUER: %w", err)
	}
	if f.OIDCClientID == "" {
		return errors.New("HOTFOOT_OIDC_CLIENT_ID is not set: give the id under which the provider knows this client")
	}
	if id, err := tracking.ParseID(f.OIDCMerchant); err != nil || id == (tracking.ID{}) {
		return fmt.Errorf("HOTFOOT_OIDC_MERCHANT: %q is no merchant's id; GET /v1/merchant with its key says what it is", f.OIDCMerchant)
	}
	if f.OIDCRequire == "" {
		return errors.New("HOTFOOT_OIDC_REQUIRE is not set: say which claim dispatchers have, such as groups=dispatch, or * to let in everybody who has an account")
	}
	if _, err := oidc.ParseClaim(f.OIDCRequire); err != nil {
		return fmt.Errorf("HOTFOOT_OIDC_REQUIRE: %w", err)
	}
	if publicURL == "" {
		return errors.New("HOTFOOT_PUBLIC_URL must be set for signing in with HOTFOOT_OIDC_ISSUER: the provider sends browsers back there")
	}
	return nil
}

// signInName is what the ops page calls the provider, "" for none.
func (f oidcFlags) signInName() string {
	if f.OIDCName != "" || f.OIDCIssuer == "" {
		return f.OIDCName
	}
	u, err := url.Parse(f.OIDCIssuer)
	if err != nil {
		return f.OIDCIssuer
	}
	return u.Host
}

// provider is nil when dispatchers have none.
func (f oidcFlags) provider(publicURL, secret string) (*oidc.Provider, error) {
	if f.OIDCIssuer == "" {
		return nil, nil
	}
	require, err := oidc.ParseClaim(f.OIDCRequire)
	if err != nil {
		return nil, err
	}
	return oidc.New(oidc.Config{
		Issuer: f.OIDCIssuer, ClientID: f.OIDCClientID, ClientSecret: f.OIDCClientSecret, Redirect: publicURL + api.SignInCallback,
		Require: require, Secret: []byte(secret),
	}, time.Now)
}

// signIn is who vouches for dispatchers, nil for nobody.
func (n *node) signIn(publicURL string) (*api.SignIn, error) {
	var err error
	if n.oidc, err = n.flags.provider(publicURL, n.flags.Secret); err != nil || n.oidc == nil {
		return nil, err
	}
	merchant, err := tracking.ParseID(n.flags.OIDCMerchant)
	return &api.SignIn{Provider: n.oidc, Merchant: merchant}, err
}
