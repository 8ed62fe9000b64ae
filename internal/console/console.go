// Package console is where the program talks to a person: one stream that a progress bar and log lines share.
package console

import (
	"io"
	"sync"
)

// Console is a stream of messages, standard error as a rule. Lines written while a progress bar is attached go above it.
// It is safe for concurrent use.
type Console struct {
	out      io.Writer
	terminal bool
	color    bool

	mu    sync.Mutex
	above io.Writer
}

// New makes a console of out; terminal says whether a person may be watching, color whether escape codes are wanted.
func New(out io.Writer, terminal, color bool) *Console {
	return &Console{out: out, terminal: terminal, color: color}
}

// IsTerminal says whether the stream is a terminal.
func (c *Console) IsTerminal() bool { return c.terminal }

// Color says whether escape codes for colours are wanted.
func (c *Console) Color() bool { return c.color }

// Out is the stream itself, for a progress bar to draw on.
func (c *Console) Out() io.Writer { return c.out }

// Attach sends what is written from now on to w, which puts it above a progress bar, until detach is called.
func (c *Console) Attach(w io.Writer) (detach func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.above = w
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.above = nil
	}
}

// Write writes a message, whole lines at a time.
func (c *Console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.above != nil {
		return c.above.Write(p)
	}
	return c.out.Write(p)
}
