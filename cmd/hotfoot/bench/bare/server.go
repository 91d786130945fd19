//go:build linux

package bare

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"syscall"
)

// Server is the loop. Its addresses are those of loopback ports that the system chose.
type Server struct {
	Sockets, Feed string // host:port

	poll, sockets, feed int
	fed                 int            // the feed's connection, or -1
	topics              [][]int        // file descriptors by topic
	topicOf             map[int]uint32 // by file descriptor, of those that have shaken hands
	pending             []byte         // of the feed, not complete
	buffer, frame       []byte
}

// Listen opens both ports.
func Listen() (*Server, error) {
	s := &Server{fed: -1, topicOf: map[int]uint32{}, buffer: make([]byte, 256<<10)}
	var err error
	if s.poll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("bare: epoll: %w", err)
	}
	if s.sockets, s.Sockets, err = s.listen(); err != nil {
		return nil, err
	}
	s.feed, s.Feed, err = s.listen()
	return s, err
}

func (s *Server) listen() (fd int, address string, err error) {
	fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		err = syscall.Listen(fd, 4096)
	}
	if err != nil {
		return 0, "", fmt.Errorf("bare: listening: %w", err)
	}
	at, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, "", fmt.Errorf("bare: listening: %w", err)
	}
	return fd, "127.0.0.1:" + strconv.Itoa(at.(*syscall.SockaddrInet4).Port), s.watch(fd)
}

func (s *Server) watch(fd int) error {
	err := syscall.EpollCtl(s.poll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
	if err != nil {
		return fmt.Errorf("bare: epoll: %w", err)
	}
	return nil
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	var events [512]syscall.EpollEvent
	for ctx.Err() == nil {
		n, err := syscall.EpollWait(s.poll, events[:], 100)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("bare: epoll: %w", err)
		}
		for i := range max(0, n) {
			switch fd := int(events[i].Fd); fd {
			case s.sockets:
				err = s.accept(fd, func(int) {})
			case s.feed:
				err = s.accept(fd, func(conn int) { s.fed, s.pending = conn, nil })
			case s.fed:
				err = s.update()
			default:
				s.hear(fd)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Close ends the loop's sockets.
func (s *Server) Close() {
	for fd := range s.topicOf {
		_ = syscall.Close(fd)
	}
	for _, fd := range []int{s.sockets, s.feed, s.poll, s.fed} {
		if fd >= 0 {
			_ = syscall.Close(fd)
		}
	}
}

func (s *Server) accept(listener int, accepted func(conn int)) error {
	for {
		fd, _, err := syscall.Accept4(listener, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		if err != nil {
			return nil // nobody else waits, or whoever did is gone
		}
		_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
		accepted(fd)
		if err := s.watch(fd); err != nil {
			return err
		}
	}
}

const answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: hotfoot.v1\r\n\r\n"

// hear reads what a viewer sends: its handshake, and then nothing but its end.
func (s *Server) hear(fd int) {
	n, err := syscall.Read(fd, s.buffer)
	if err == syscall.EAGAIN {
		return
	}
	if err != nil || n <= 0 {
		s.drop(fd)
		return
	}
	if _, shaken := s.topicOf[fd]; shaken {
		return
	}
	// A request comes in one piece here: it is small, and loopback does not cut it.
	path, ok := bytes.CutPrefix(s.buffer[:n], []byte("GET /"))
	path, _, _ = bytes.Cut(path, []byte(" "))
	topic, err := strconv.ParseUint(string(path), 10, 20)
	if !ok || err != nil || !bytes.HasSuffix(s.buffer[:n], []byte("\r\n\r\n")) {
		s.drop(fd)
		return
	}
	for uint64(len(s.topics)) <= topic {
		s.topics = append(s.topics, nil)
	}
	s.topics[topic] = append(s.topics[topic], fd)
	s.topicOf[fd] = uint32(topic)
	s.frame = AppendFrame(append(s.frame[:0], answer...), firstMessage)
	s.write(fd)
}

// update writes what the feed has brought to the sockets it is for.
func (s *Server) update() error {
	n, err := syscall.Read(s.fed, s.buffer)
	if err == syscall.EAGAIN {
		return nil
	}
	if err != nil || n <= 0 {
		err := syscall.Close(s.fed)
		s.fed, s.pending = -1, nil
		return err
	}
	b := s.buffer[:n]
	if len(s.pending) > 0 {
		b = append(s.pending, b...)
	}
	for len(b) >= updateHead {
		size, topic := int(binary.BigEndian.Uint32(b)), binary.BigEndian.Uint32(b[4:])
		if size > maxUpdate {
			return fmt.Errorf("bare: an update of %d bytes", size)
		}
		if len(b) < updateHead+size {
			break
		}
		s.frame = AppendFrame(s.frame[:0], b[updateHead:updateHead+size])
		b = b[updateHead+size:]
		if int(topic) >= len(s.topics) {
			continue
		}
		// From the end, since a socket that is dropped gives its place to the last.
		for i := len(s.topics[topic]) - 1; i >= 0; i-- {
			s.write(s.topics[topic][i])
		}
	}
	s.pending = append(s.pending[:0:0], b...)
	return nil
}

func (s *Server) write(fd int) {
	if n, err := syscall.Write(fd, s.frame); err != nil || n < len(s.frame) {
		s.drop(fd)
	}
}

func (s *Server) drop(fd int) {
	if topic, ok := s.topicOf[fd]; ok {
		watching := s.topics[topic]
		for i := range watching {
			if watching[i] == fd {
				watching[i] = watching[len(watching)-1]
				s.topics[topic] = watching[:len(watching)-1]
				break
			}
		}
		delete(s.topicOf, fd)
	}
	_ = syscall.Close(fd)
}
