package registry

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/lighter-go/lighter/internal/config"
)

// Decodes says how a default differs from what its text, as [Entry.Describe] shows it, is decoded to; nil when it is the same.
func (e *Entry) Decodes(f Field, text string) error {
	c, problems := config.Compose(map[string]any{"default": nil}, "=default="+text)
	if problems.HasErrors() {
		return problems
	}
	v, err := Value(c, "default")
	if err != nil {
		return err
	}
	d := newDecoder(e, e.proto, nil, e.Target)
	d.assignField(f, v, nil, e.Target)
	if d.problems.HasErrors() {
		return errors.New(d.problems[0].Msg)
	}
	got, want := d.args.FieldByIndex(f.index).Interface(), e.Default(f)
	if !d.unknown && !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s is decoded to %v, not to %v", text, got, want)
	}
	return nil
}
