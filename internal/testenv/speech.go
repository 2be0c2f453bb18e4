package testenv

import (
	"bytes"
	"sync"
)

// Speech is what somebody has said so far: a log, or a process's output, that is
// read while it is written. The zero Speech is silence.
type Speech struct {
	mu   sync.Mutex
	said bytes.Buffer // guarded by mu
}

// Write implements io.Writer.
func (s *Speech) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.Write(b)
}

func (s *Speech) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.String()
}
