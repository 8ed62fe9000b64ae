package expr

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"
)

// exceptionNames are the errors of Python's that files can raise.
var exceptionNames = strings.Fields(`Exception ArithmeticError AssertionError AttributeError FileNotFoundError ImportError IndexError KeyError LookupError
	NameError NotImplementedError OSError OverflowError RuntimeError StopIteration TypeError ValueError ZeroDivisionError`)

// Raised is an error that a file has raised.
type Raised struct {
	Name string // ValueError
	Text string
}

func (e *Raised) Error() string {
	if e.Text == "" {
		return e.Name
	}
	return e.Name + ": " + e.Text
}

// exceptionClass is a kind of error; called, it gives one.
type exceptionClass string

func (c exceptionClass) String() string        { return "<class '" + string(c) + "'>" }
func (c exceptionClass) Type() string          { return "type" }
func (c exceptionClass) Freeze()               {}
func (c exceptionClass) Truth() starlark.Bool  { return true }
func (c exceptionClass) Hash() (uint32, error) { return starlark.String(c).Hash() }
func (c exceptionClass) Name() string          { return string(c) }

// CallInternal makes an error.
func (c exceptionClass) CallInternal(t *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(kwargs) > 0 {
		return nil, fmt.Errorf("%s() takes no keyword arguments", string(c))
	}
	m := machineOf(t)
	var v starlark.Value = args
	if len(args) == 1 {
		v = args[0]
	}
	text := ""
	if len(args) > 0 {
		var err error
		if text, err = m.text(v, c == "KeyError"); err != nil {
			return nil, err
		}
	}
	return &exception{c, text}, nil
}

// exception is an error that can be raised.
type exception struct {
	class exceptionClass
	text  string
}

func (e *exception) String() string        { return e.text }
func (e *exception) Type() string          { return string(e.class) }
func (e *exception) Freeze()               {}
func (e *exception) Truth() starlark.Bool  { return true }
func (e *exception) Hash() (uint32, error) { return starlark.String(e.text).Hash() }

func raise(_ *machine, a args) (starlark.Value, error) {
	switch v := a.pos[0].(type) {
	case exceptionClass:
		return nil, &Raised{Name: string(v)}
	case *exception:
		return nil, &Raised{Name: string(v.class), Text: v.text}
	}
	return nil, errors.New("exceptions must derive from BaseException")
}

// failedAssert is the error of an assert that doesn't hold.
func failedAssert(m *machine, a args) (starlark.Value, error) {
	e := &Raised{Name: "AssertionError"}
	if len(a.pos) > 0 {
		text, err := m.text(a.pos[0], false)
		if err != nil {
			return nil, err
		}
		e.Text = text
	}
	return nil, e
}
