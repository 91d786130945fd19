package api

import (
	"context"
	"fmt"
	"image/color"
	"net/http"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"hotfoot/tracking"
)

func (s *Server) mountLinks() {
	revoke := s.operation("Deliveries", "revoke-link", http.MethodPost, "/v1/deliveries/{id}/link/revoke", "End its tracking links and make a new one",
		tracking.RoleMerchant, tracking.RoleOps)
	register(s, revoke, s.revokeLink)
	drawn := s.operation("Deliveries", "get-link-qr", http.MethodGet, "/v1/deliveries/{id}/link/qr", "Its tracking link as a QR code, to print on a receipt",
		tracking.RoleMerchant, tracking.RoleOps)
	drawn.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"image/svg+xml": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	register(s, drawn, s.drawLink)
}

func (s *Server) revokeLink(ctx context.Context, in *deliveryPath) (*out[deliveryBody], error) {
	id, err := parseID(in.ID, "delivery")
	if err != nil {
		return nil, err
	}
	record, err := s.Dispatch.RevokeLink(ctx, actorOf(ctx), id)
	return s.deliveryOut(record, err)
}

type drawing struct {
	ContentType string `header:"Content-Type"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

func (s *Server) drawLink(ctx context.Context, in *deliveryPath) (*drawing, error) {
	record, err := s.own(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	// A seventh of a receipt may be smudged or torn.
	code, err := qr.Encode(s.trackingURL(s.linkToken(record)), qr.M, qr.Auto)
	if err != nil {
		return nil, err
	}
	return &drawing{ContentType: "image/svg+xml", Policy: "default-src 'none'", Body: svg(code)}, nil
}

// quiet is the white border that a QR code needs to be found, in modules.
const quiet = 4

// svg draws a QR code: a unit is a module, and each row's dark runs are rectangles of one path.
func svg(code barcode.Barcode) []byte {
	n := code.Bounds().Dx()
	dark := func(x, y int) bool { return x < n && code.At(x, y) == color.Black }
	var path strings.Builder
	for y := range n {
		for x := 0; x < n; x++ {
			begun := x
			for dark(x, y) {
				x++
			}
			if run := x - begun; run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", begun+quiet, y+quiet, run, run)
			}
		}
	}
	size := n + 2*quiet
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%dv%dH0z"/><path d="%s"/></svg>`, size, size, size, size, path.String())
}

// linkToken is the token of the link that opens the delivery now.
func (s *Server) linkToken(r tracking.Record) string {
	return s.Linker.Token(r.Delivery.ID, r.Delivery.LinkGen)
}

// trackingURL is the customer's page of a link.
func (s *Server) trackingURL(token string) string { return s.config.PublicURL + "/t/" + token }

// Discreet is gin middleware for whatever is opened by a link: the address is the secret, so no answer is kept, and none tells another site where it came
// from, whatever it is.
func (s *Server) Discreet(c *gin.Context) {
	h := c.Writer.Header()
	h["Cache-Control"] = storePolicy
	h["Referrer-Policy"] = referrerPolicy
}
