package api

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// Pages are what people see in a browser.
type Pages interface {
	Customer(w http.ResponseWriter, r *http.Request, snapshot []byte)
	NotFound(w http.ResponseWriter, r *http.Request)
	Ops(w http.ResponseWriter, r *http.Request)
	Docs(w http.ResponseWriter, r *http.Request)
}

func (s *Server) mountCustomer(engine *gin.Engine) {
	engine.GET("/v1/track/:token", s.Discreet, s.track)
	engine.GET("/t/:token", s.Discreet, s.trackPage)
	engine.GET("/ops", gin.WrapF(s.Pages.Ops))
	engine.GET("/docs", gin.WrapF(s.Pages.Docs))
}

// track answers the snapshot: what a customer's page polls when neither socket nor stream gets through.
func (s *Server) track(c *gin.Context) {
	snapshot, err := s.snapshot(c)
	if err != nil {
		s.refuse(c, err)
		return
	}
	// With one header more than these, net/http's map of them grows, twice for each answer.
	c.Writer.Header()["Content-Type"] = jsonContent
	_, _ = c.Writer.Write(snapshot)
}

func (s *Server) trackPage(c *gin.Context) {
	c.Writer.Header()["X-Robots-Tag"] = robotsPolicy
	snapshot, err := s.snapshot(c)
	if tracking.CodeOf(err) == tracking.CodeNotFound {
		s.Pages.NotFound(c.Writer, c.Request)
		return
	}
	if err != nil {
		s.refuse(c, err)
		return
	}
	s.Pages.Customer(c.Writer, c.Request, snapshot)
}

func (s *Server) snapshot(c *gin.Context) ([]byte, error) {
	ctx, token, header := c.Request.Context(), c.Param("token"), c.Writer.Header()
	// A forgery is not counted: it would take the place of a link, and where the counts are shared have Redis asked.
	view, live, err := s.Viewing.Show(ctx, token, func() error { return s.Limits.ofLink(ctx, header, token) })
	if err != nil {
		delete(header, limitField)
		delete(header, policyField)
		return nil, s.Limits.missed(c.Request, err)
	}
	return frame.Snapshot(view, 0, live, s.Now().Truncate(time.Millisecond)), nil
}
