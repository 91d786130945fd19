package oidc

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/oauth2"

	"hotfoot/tracking"
)

func refused(why string) error { return tracking.Errorf(tracking.CodeForbidden, "%s", why) }

func failed(why string) error { return tracking.Errorf(tracking.CodeUnauthorized, "%s", why) }

func unavailable(cause error) error { return tracking.Unavailable("the OpenID provider", cause) }

// tokenErrors are the codes of RFC 6749 section 5.2. What else a provider may say is not repeated.
var tokenErrors = []string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}

// exchangeError is what became of a code that brought no token.
func exchangeError(err error) error {
	if away := unreached(err); away != nil {
		return unavailable(away)
	}
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) && slices.Contains(tokenErrors, answer.ErrorCode) {
		return failed(fmt.Sprintf("the provider gave no token for the code: %s", answer.ErrorCode))
	}
	return failed("the provider gave no token for the code")
}
