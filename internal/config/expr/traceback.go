package expr

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/lighter-go/lighter/internal/diag"
	"go.starlark.net/starlark"
)

// Frame is a call that was under way when something failed.
type Frame struct {
	Function string // its name, "<module>" for the file itself
	Pos      diag.Pos
	Line     string // of the source
	Values   string // what the host says of its variables: "x: Tensor[32, 64]"

	at starlark.CallFrame
}

// Traceback is what went wrong in the code of a file, and where.
type Traceback struct {
	Frames []Frame // outermost first
	Msg    string
	Hint   string
	Err    error  // the cause; nil when Msg is all
	Origin string // what made the object whose code it is, when the host says so: "project.model.Net of c.yaml:3:5"

	outside bool // the one frame is the function that a call from Go doesn't fit
}

// Error is the whole traceback.
func (t *Traceback) Error() string {
	var b strings.Builder
	b.WriteString("Traceback (most recent call last):\n")
	for i, f := range t.Frames {
		if i == mostFrames && len(t.Frames) > 2*mostFrames {
			fmt.Fprintf(&b, "  ... %d more calls ...\n", len(t.Frames)-2*mostFrames)
		}
		if i >= mostFrames && i < len(t.Frames)-mostFrames {
			continue
		}
		fmt.Fprintf(&b, "  %s, in %s\n", f.Pos, f.Function)
		if f.Line != "" {
			fmt.Fprintf(&b, "    %s\n", f.Line)
		}
		if f.Values != "" {
			fmt.Fprintf(&b, "    (%s)\n", f.Values)
		}
	}
	b.WriteString(t.Msg)
	if t.Hint != "" {
		b.WriteString("\n" + t.Hint)
	}
	if t.Origin != "" {
		b.WriteString("\n" + t.Origin)
	}
	return b.String()
}

// mostFrames is how many frames are shown at either end.
const mostFrames = 10

// Unwrap returns the cause.
func (t *Traceback) Unwrap() error { return t.Err }

// Pos is where the error is: the place of the innermost frame.
func (t *Traceback) Pos() diag.Pos {
	if len(t.Frames) == 0 {
		return diag.Pos{}
	}
	return t.Frames[len(t.Frames)-1].Pos
}

// InternalError is a mistake of the program's own that came to light in a call.
type InternalError struct {
	Value any
	Stack []byte
}

func (e *InternalError) Error() string { return fmt.Sprintf("internal error: %v", e.Value) }

// recovered turns a panic of the host into an error. Mistakes of the program say that they are.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = asError(p)
	}
}

func asError(p any) error {
	if err, ok := p.(error); ok {
		var program runtime.Error
		if !errors.As(err, &program) {
			return err
		}
	}
	return &InternalError{p, debug.Stack()}
}

// traceback words an error of the machine's.
func (m *machine) traceback(err error) error {
	t := &Traceback{}
	cause := err
	if m.stopped != nil {
		cause = m.stopped
	}
	var deepest *starlark.EvalError
	for e := err; e != nil; {
		var inner *Traceback
		var eval *starlark.EvalError
		if errors.As(e, &inner) && !errors.As(e, &eval) {
			break
		}
		if !errors.As(e, &eval) {
			break
		}
		deepest = eval
		if m.stopped == nil {
			cause = eval
			if eval.Unwrap() != nil {
				cause = eval.Unwrap()
			}
		}
		e = eval.Unwrap()
	}
	own := ""
	if deepest != nil {
		for i, f := range deepest.CallStack {
			file, pos, ok := m.run.place(f)
			if !ok {
				continue
			}
			if i == len(deepest.CallStack)-1 {
				own = f.Name
			}
			values := ""
			if i < len(m.noted) {
				values = m.noted[i]
			}
			t.Frames = append(t.Frames, Frame{functionName(f.Name), pos, file.line(pos.Line), values, f})
		}
	}
	t.Msg, t.Err = cause.Error(), cause
	var inner *Traceback
	var e *Error
	switch {
	case errors.As(cause, &inner):
		if !inner.outside {
			t.Frames = append(t.Frames, inner.Frames...)
		}
		t.Msg, t.Hint = strings.Replace(t.Msg, inner.Error(), inner.Msg, 1), inner.Hint
		if cause == error(inner) {
			t.Err = inner.Err
		}
	case errors.As(cause, &e):
		t.Hint = e.Hint
		if e.Err != nil {
			t.Err = e.Err
		}
	}
	m.reword(t, own)
	return t
}
