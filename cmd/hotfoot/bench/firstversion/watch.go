//go:build linux

package firstversion

import (
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
	"github.com/redis/go-redis/v9"
)

const (
	writeLimit = 10 * time.Second
	pongLimit  = 60 * time.Second
	pingEvery  = 54 * time.Second
)

// watch serves a viewer's socket until it ends.
func (s *Server) watch(c *gin.Context) {
	courier := c.Param("id")
	socket, err := s.upgrader.Upgrade(c.Writer, c.Request, nil)
	if err != nil {
		return // the answer has been written
	}
	defer socket.Close()
	subscription := s.redis.Subscribe(s.ctx, Channel(courier))
	defer subscription.Close()
	if _, err := subscription.Receive(s.ctx); err != nil {
		return
	}
	snapshot, err := s.redis.HGetAll(s.ctx, Key(courier)).Result()
	if err != nil {
		return
	}
	first := struct {
		Type     string            `json:"type"`
		Position map[string]string `json:"position"`
	}{"snapshot", snapshot}
	_ = socket.SetWriteDeadline(time.Now().Add(writeLimit))
	if err := socket.WriteJSON(first); err != nil {
		return
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		write(socket, subscription)
	}()
	read(socket)
	_ = subscription.Close() // ends write
	<-written
}

// read waits for the viewer to go away.
func read(socket *websocket.Conn) {
	socket.SetReadLimit(512)
	_ = socket.SetReadDeadline(time.Now().Add(pongLimit))
	socket.SetPongHandler(func(string) error { return socket.SetReadDeadline(time.Now().Add(pongLimit)) })
	for {
		if _, _, err := socket.ReadMessage(); err != nil {
			return
		}
	}
}

// write brings what is published to the viewer, and pings; when that fails the socket is closed, which ends read.
func write(socket *websocket.Conn, subscription *redis.PubSub) {
	defer socket.Close()
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	published := subscription.Channel()
	for {
		select {
		case message, ok := <-published:
			if !ok {
				return
			}
			_ = socket.SetWriteDeadline(time.Now().Add(writeLimit))
			if err := socket.WriteMessage(websocket.TextMessage, []byte(message.Payload)); err != nil {
				return
			}
		case <-ping.C:
			_ = socket.SetWriteDeadline(time.Now().Add(writeLimit))
			if err := socket.WriteMessage(websocket.PingMessage, nil); err != nil {
				return
			}
		}
	}
}
