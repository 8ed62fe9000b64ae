package registry

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/diag"
)

// reserved are the keys of the language that a component has beside its arguments.
var reserved = []string{"_target_", "_args_", "_disabled_", "_mode_", "_requires_"}

// unexpected reports a key that is no argument, with the one that was likely meant. That one counts as given.
func (d *decoder) unexpected(p config.Pair) {
	problem := d.problems.Errorf(p.KeyPos, config.Join(d.path, p.Key), "unknown field %q for %s: it got an unexpected keyword argument %q", p.Key, d.entry.Target, p.Key)
	meant := d.meant(p)
	switch {
	case meant != "":
		problem.Hint = fmt.Sprintf("did you mean %q?", meant)
	case d.earlierTarget(p) != nil:
		problem.Hint = fmt.Sprintf("remove it with ~%s", config.Join(d.path, p.Key))
	case len(d.entry.Fields) == 0:
		problem.Hint = "it takes no arguments"
	case len(d.entry.Fields) > 12:
		problem.Hint = fmt.Sprintf("`lighter list %s` shows what it takes", d.entry.Target)
	default:
		problem.Hint = "it takes " + strings.Join(d.names(), ", ")
	}
	d.explain(problem, p.Value)
	if note := d.earlierTarget(p); note != nil {
		problem.Notes = append(problem.Notes, *note)
	}
	if meant != "" {
		d.given[meant] = true
	}
}

// meant is the argument that a wrong key is a synonym or a slip of, "" when there is none. One that is given already beside the
// key is not meant; one given in another file or argument may be.
func (d *decoder) meant(key config.Pair) string {
	var free []string
	isFree := func(name string) bool {
		p, ok := d.node.Lookup(name)
		if ok {
			return p.KeyPos.Source != key.KeyPos.Source
		}
		return !d.given[name]
	}
	for _, f := range d.entry.Fields {
		if !isFree(f.Name) {
			continue
		}
		if slices.ContainsFunc(f.Aka, func(a string) bool { return diag.Distance(a, key.Key) == 0 }) {
			return f.Name
		}
		free = append(free, f.Name)
	}
	for _, name := range reserved {
		if isFree(name) {
			free = append(free, name)
		}
	}
	if near := diag.Nearest(key.Key, free, 1); len(near) > 0 {
		return near[0]
	}
	for _, f := range d.entry.Fields { // a slip of a synonym
		if slices.Contains(free, f.Name) && len(diag.Nearest(key.Key, f.Aka, 1)) > 0 {
			return f.Name
		}
	}
	return ""
}

func (d *decoder) names() []string {
	names := make([]string, len(d.entry.Fields))
	for i, f := range d.entry.Fields {
		names[i] = f.Name
	}
	return names
}

// explain adds where the target was set, who overrode the value and what it replaces.
func (d *decoder) explain(to *diag.Diagnostic, v *config.Node) {
	if d.node == nil {
		return
	}
	if t := d.node.Get("_target_"); t != nil {
		to.Notes = append(to.Notes, diag.Note{Pos: t.Pos, Msg: d.entry.Target + " is set here"})
	}
	if v == nil {
		return
	}
	if note, ok := v.Overridden(); ok && diag.IsArgument(note.Pos.Source) {
		to.Notes = append(to.Notes, note)
	}
	to.Notes = append(to.Notes, v.Was...)
}

// misfit reports what a Decoder found wrong with v, at the key of a mapping or the item of a list that is to blame.
func (d *decoder) misfit(f Field, decode func(any) error, v any, err error, n *config.Node, path string) {
	msg, more, _ := strings.Cut(err.Error(), "\n")
	p := d.problems.Errorf(posOf(n, d.node), path, "%s of %s: %s", f.Name, d.entry.Target, msg)
	p.Err, p.Hint = err, more
	if items, ok := v.([]any); ok && n != nil && len(n.Items) == len(items) {
		i := slices.IndexFunc(items, func(item any) bool { e := decode(item); return e != nil && e.Error() == err.Error() })
		if i >= 0 {
			n, path = n.Items[i], config.Join(path, strconv.Itoa(i))
			p.Pos, p.Path = n.Pos, path
		}
	}
	if t := n.Get("_target_"); t != nil {
		p.Pos = t.Pos
	}
	var unknown *keyError
	var wrong *fieldError
	switch {
	case errors.As(err, &unknown):
		if pair, ok := n.Lookup(unknown.key); ok {
			p.Pos, p.Path = pair.KeyPos, config.Join(path, unknown.key)
		}
		p.Hint = "it takes " + strings.Join(unknown.known, ", ")
		if near := diag.Nearest(unknown.key, unknown.known, 1); len(near) > 0 {
			p.Hint = fmt.Sprintf("did you mean %q?", near[0])
		}
	case errors.As(err, &wrong):
		if v := n.Get(wrong.field); v != nil {
			p.Pos, p.Path = v.Pos, config.Join(path, wrong.field)
		}
	}
	d.explain(p, n)
}

type keyError struct {
	key   string
	known []string
}

func (e *keyError) Error() string { return fmt.Sprintf("unknown key %q", e.key) }

// UnknownKey is what a [Decoder] of a mapping returns for a key that is none of the known.
func UnknownKey(key string, known []string) error { return &keyError{key, known} }

// earlierTarget says that an argument was given before the target was changed, nil when it was not.
func (d *decoder) earlierTarget(p config.Pair) *diag.Note {
	t := d.node.Get("_target_")
	if t == nil {
		return nil
	}
	for _, was := range t.Was {
		if was.Pos.Source == p.KeyPos.Source && was.Pos.Source != t.Pos.Source {
			return &diag.Note{Pos: was.Pos, Msg: fmt.Sprintf("the target was changed; %q was given for %s", p.Key, strings.TrimPrefix(was.Msg, "it replaces "))}
		}
	}
	return nil
}
