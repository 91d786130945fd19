package doctor

import (
	"net/url"
	"strings"
)

// secretsOf are what must not be said of an address: itself, since it may be written so wrongly that its password cannot be told from the rest, and
// every password that can be.
func secretsOf(addresses ...string) []string {
	var secrets []string
	add := func(secret string) {
		if len(secret) > 2 { // less is no secret, and would tear words apart
			secrets = append(secrets, secret)
		}
	}
	for _, address := range addresses {
		add(address)
		for one := range strings.SplitSeq(address, ",") {
			for _, part := range []string{address, strings.TrimSpace(one)} {
				for _, password := range passwords(part) {
					add(password)
					if plain, err := url.PathUnescape(password); err == nil {
						add(plain)
					}
				}
			}
		}
	}
	return secrets
}

// passwords finds them where they stand in an address of either form, without minding whether it is one.
func passwords(address string) (found []string) {
	_, rest, _ := strings.Cut(address, "://")
	if i := strings.LastIndex(rest, "@"); i >= 0 {
		_, password, _ := strings.Cut(rest[:i], ":")
		found = append(found, password)
	}
	for field := range strings.FieldsFuncSeq(address, func(r rune) bool { return r == ' ' || r == '?' || r == '&' }) {
		if name, value, is := strings.Cut(field, "="); is && strings.HasSuffix(name, "password") {
			found = append(found, value, strings.Trim(value, "'"))
		}
	}
	return found
}
