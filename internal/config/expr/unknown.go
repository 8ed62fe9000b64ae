package expr

import (
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// unknown is an Unknown in an expression. Whatever is done with it makes the whole expression unknown.
type unknown struct{ m *machine }

func (m *machine) touch() starlark.Value {
	m.unknown = true
	return &unknown{m}
}

func (u *unknown) String() string { u.m.touch(); return "unknown" }

func (u *unknown) Type() string { return "unknown" }

func (u *unknown) Freeze() {}

func (u *unknown) Truth() starlark.Bool { u.m.touch(); return false }

func (u *unknown) Hash() (uint32, error) { u.m.touch(); return 0, nil }

func (u *unknown) Name() string { return "unknown" }

// CallInternal makes the result unknown.
func (u *unknown) CallInternal(*starlark.Thread, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return u.m.touch(), nil
}

// Iterate has no elements, and makes the result unknown.
func (u *unknown) Iterate() starlark.Iterator { u.m.touch(); return starlark.NewList(nil).Iterate() }

// CompareSameType holds for nothing, and makes the result unknown.
func (u *unknown) CompareSameType(syntax.Token, starlark.Value, int) (bool, error) {
	u.m.touch()
	return false, nil
}
