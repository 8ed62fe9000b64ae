package callback

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// screen is a terminal that understands what the bar sends: line feeds, cursor up, erase below, and colours.
type screen struct {
	mu       sync.Mutex
	lines    []string
	row      int
	rest     string // an escape sequence not complete yet
	redraws  int
	coloured bool
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redraws++
	text := s.rest + string(p)
	for s.rest = ""; text != ""; {
		if text[0] != '\x1b' {
			i := strings.IndexAny(text, "\n\x1b")
			if i < 0 {
				i = len(text)
			}
			s.put(text[:i])
			if text = text[i:]; strings.HasPrefix(text, "\n") {
				s.put("")
				s.row++
				text = text[1:]
			}
			continue
		}
		i := strings.IndexAny(text, "AJm")
		if i < 0 {
			s.rest = text
			break
		}
		switch n := 0; text[i] {
		case 'A':
			for _, d := range text[2:i] {
				n = 10*n + int(d-'0')
			}
			s.row = max(s.row-n, 0)
		case 'J':
			s.lines = s.lines[:min(s.row, len(s.lines))]
		case 'm':
			s.coloured = true
		}
		text = text[i+1:]
	}
	return len(p), nil
}

func (s *screen) put(text string) {
	for len(s.lines) <= s.row {
		s.lines = append(s.lines, "")
	}
	s.lines[s.row] += text
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimRight(strings.Join(s.lines, "\n"), "\n")
}

// shows waits until the screen is want.
func (s *screen) shows(t *testing.T, want string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); s.String() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the screen shows\n%s\nwant\n%s", s, want)
		}
	}
}
