package files

import (
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestJSONL(t *testing.T) {
	tensortest.Scope(t)
	path := fileOf(t, "x.jsonl", "{\"x\": [1, 2.5], \"ok\": true, \"y\": 1}\n\n{\"y\": -2e0, \"x\": [3, null], \"s\": \"\\u00e9\", \"ok\": false}\r\n")
	x := whole(t, mustBuild[lighter.Dataset](t, with("JSONL", path, m{"input": []any{"x", "ok"}, "target": "y", "allow_nan": true})))
	equal(t, "tensors", []string{x[0].String(), x[1].String()}, []string{"float32[2 3]", "float32[2]"})
	equal(t, "first", tensor.Values[float64](x[0].Select(0, 0)), []float64{1, 2.5, 1})
	for _, c := range []struct{ text, want string }{
		{"{\"a\": 1}\n{\"a\": [1]}\n", `x.jsonl:2:7: [1] is a list, but the rows before have numbers, in row 1 of column "a"`},
		{"{\"a\": [1, 2]}\n{\"a\": [1]}\n", "x.jsonl:2:7: a list of 1 numbers, but the lists before have 2"},
		{"{\"a\": 1}\n{\"b\": 1}\n", `x.jsonl:2:1: the cell is missing, in row 1 of column "a"`},
		{"{\"a\": 1}\n{\"a\": null}\n", `x.jsonl:2:7: the cell is missing, in row 1 of column "a"`},
		{"{\"a\": 1}\n{\"a\": \"t\"}\n", `x.jsonl:2:7: "t" is no number, in row 1 of column "a"`},
		{"{\"a\": 1}\n{\"a\": {}}\n", "x.jsonl:2:7: {} is no number"},
		{"{\"a\": 1, \"a\": 2}\n", `x.jsonl:1:13: the key "a" stands twice`},
		{"{\"a\": 1}\n{\"a\": 1\n", "x.jsonl:2:8: the object is not closed"},
		{"{\"a\": 1}\n{\"a\": 1}{\n", "x.jsonl:2:10: one line holds one object"},
		{"{\"a\": 1}\n[1]\n", "x.jsonl:2:2: a line must be a JSON object"},
		{"{\"a\": 1}\n{\"a\": 01}\n", "x.jsonl:2:7: invalid character '1'"},
		{"\n", "has no rows"},
		{"{}\n", "the target takes every column"},
	} {
		_, err := build[lighter.Dataset](t, m{"x": with("JSONL", fileOf(t, "x.jsonl", c.text), nil)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
		}
	}
}
