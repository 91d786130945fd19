package api_test

import (
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"hotfoot/tracking"
)

// scan reads a QR code as a phone does that is held to the drawing.
func scan(t *testing.T, drawing []byte) string {
	t.Helper()
	var svg struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		ViewBox string   `xml:"viewBox,attr"`
		Paths   []struct {
			D string `xml:"d,attr"`
		} `xml:"path"`
	}
	must(t, xml.Unmarshal(drawing, &svg))
	var size int
	if _, err := fmt.Sscanf(svg.ViewBox, "0 0 %d", &size); err != nil || len(svg.Paths) != 2 {
		t.Fatalf("not a drawing of a QR code: %v: %s", err, drawing)
	}
	const pixels = 5 // a module
	picture := image.NewGray(image.Rect(0, 0, size*pixels, size*pixels))
	for i := range picture.Pix {
		picture.Pix[i] = 255
	}
	for rectangle := range strings.SplitSeq(strings.TrimSuffix(svg.Paths[1].D, "z"), "z") {
		var x, y, wide, back int
		if _, err := fmt.Sscanf(rectangle, "M%d %dh%dv1h-%d", &x, &y, &wide, &back); err != nil || wide != back {
			t.Fatalf("%q: %v", rectangle, err)
		}
		for px := x * pixels; px < (x+wide)*pixels; px++ {
			for py := y * pixels; py < (y+1)*pixels; py++ {
				picture.SetGray(px, py, color.Gray{})
			}
		}
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	must(t, err)
	// It is a drawing, and no photograph in which a code must be looked for: with some links the search takes other squares for the corners.
	read, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	must(t, err)
	return read.GetText()
}

func TestServer_Link_qr(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := s.deliver(t, "")
	path := "/v1/deliveries/" + text(d["id"]) + "/link/qr"
	a := s.do(t, "GET", path, s.ops, nil)
	if a.status != 200 || a.header.Get("Content-Type") != "image/svg+xml" || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v: %s", a.status, a.header, a.body)
	}
	if got := scan(t, a.body); got != text(d["tracking_url"]) {
		t.Errorf("it leads to %s, want %s", got, d["tracking_url"])
	}
	renewed := s.do(t, "POST", "/v1/deliveries/"+text(d["id"])+"/link/revoke", s.merchant, nil).want(t, 200)
	if got := scan(t, s.do(t, "GET", path, s.merchant, nil).body); got == text(d["tracking_url"]) || got != text(renewed["tracking_url"]) {
		t.Errorf("after the link was revoked it leads to %s, want %s", got, renewed["tracking_url"])
	}
	s.do(t, "GET", "/v1/deliveries/x/link/qr", s.merchant, nil).refused(t, 404, tracking.CodeNotFound)
}
