//go:build linux

package firstversion

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
)

// Position is one report, and what viewers are sent.
type Position struct {
	Type       string    `json:"type"`
	CourierID  string    `json:"courier_id"`
	Lat        float64   `json:"lat"`
	Lon        float64   `json:"lon"`
	AccuracyM  float64   `json:"accuracy_m"`
	SpeedMPS   float64   `json:"speed_mps"`
	HeadingDeg float64   `json:"heading_deg"`
	Battery    float64   `json:"battery"`
	RecordedAt time.Time `json:"recorded_at"`
}

// Channel is where a courier's positions are published, and Key the hash of the newest.
func Channel(courier string) string { return "first:positions:" + courier }

// Key is the hash of a courier's newest position.
func Key(courier string) string { return "first:courier:" + courier }

// report takes one position, or a list.
func (s *Server) report(c *gin.Context) {
	var body struct {
		Positions []Position `json:"positions" binding:"required,min=1,max=500"`
	}
	if err := c.ShouldBindJSON(&body); err != nil {
		c.JSON(http.StatusBadRequest, gin.H{"error": err.Error()})
		return
	}
	for _, p := range body.Positions {
		if err := s.save(c.Request.Context(), p); err != nil {
			c.JSON(http.StatusInternalServerError, gin.H{"error": err.Error()})
			return
		}
	}
	c.JSON(http.StatusOK, gin.H{"saved": len(body.Positions)})
}

const insertSQL = `
INSERT INTO first_version_positions (courier_id, recorded_at, lat, lon, accuracy_m, speed_mps, heading_deg, battery)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`

func (s *Server) save(ctx context.Context, p Position) error {
	p.Type = "position"
	err := s.redis.HSet(ctx, Key(p.CourierID), map[string]any{
		"courier_id": p.CourierID, "lat": p.Lat, "lon": p.Lon, "accuracy_m": p.AccuracyM, "speed_mps": p.SpeedMPS, "heading_deg": p.HeadingDeg,
		"battery": p.Battery, "recorded_at": p.RecordedAt.Format(time.RFC3339Nano), "updated_at": strconv.FormatInt(time.Now().UnixMilli(), 10),
	}).Err()
	if err != nil {
		return err
	}
	message, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := s.redis.Publish(ctx, Channel(p.CourierID), message).Err(); err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, insertSQL, p.CourierID, p.RecordedAt, p.Lat, p.Lon, p.AccuracyM, p.SpeedMPS, p.HeadingDeg, p.Battery)
	return err
}
