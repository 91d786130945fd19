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
	view, live, err := s.show(c)
	if err != nil {
		s.refuse(c, err)
		return
	}
	// With one header more than these, net/http's map of them grows, twice for each answer.
	c.Writer.Header()["Content-Type"] = jsonContent
	_ = frame.WriteSnapshot(c.Writer, view, live, s.moment())
}

func (s *Server) trackPage(c *gin.Context) {
	c.Writer.Header()["X-Robots-Tag"] = robotsPolicy
	view, live, err := s.show(c)
	if tracking.CodeOf(err) == tracking.CodeNotFound {
		s.Pages.NotFound(c.Writer, c.Request)
		return
	}
	if err != nil {
		s.refuse(c, err)
		return
	}
	s.Pages.Customer(c.Writer, c.Request, frame.Snapshot(view, 0, live, s.moment()))
}

func (s *Server) show(c *gin.Context) (view tracking.View, live bool, err error) {
	ctx, token, header := c.Request.Context(), c.Param("token"), c.Writer.Header()
	// A forgery is not counted: it would take the place of a link, and where the counts are shared have Redis asked.
	view, live, err = s.Viewing.Show(ctx, token, func() error { return s.Limits.ofLink(ctx, header, token) })
	if err != nil {
		delete(header, limitField)
		delete(header, policyField)
		return view, false, s.Limits.missed(c.Request, err)
	}
	return view, live, nil
}

// moment is now as a snapshot has it.
func (s *Server) moment() time.Time { return s.Now().Truncate(time.Millisecond) }
