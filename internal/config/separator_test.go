package config

import "testing"

func TestSeparatorsOfOlderConfigurations(t *testing.T) {
	system := map[string]any{"_target_": "lighter.System", "model": "m", "a": map[string]any{"train": int64(1), "val": "%#train", "test": "%system#a#train"},
		"by": "@system#model", "f": "$@system#model.parameters() + @vars#x", "text": "a#b", "both": "@system::model"}
	c, problems := Compose(map[string]any{"system": system, "vars": map[string]any{"x": int64(2)}})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	for path, want := range map[string]any{
		"system::a::val": int64(1), "system::a::test": int64(1), "system::by": "@system::model", "system::text": "a#b",
		"system::f": "$@system::model.parameters() + @vars::x", "system::both": "@system::model",
	} {
		if got := c.Plain(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	c, _ = Compose(map[string]any{"x": "$@y#comment", "y": int64(1)})
	if got := c.Plain("x"); got != "$@y#comment" {
		t.Errorf("without a system it is %v", got)
	}
}
