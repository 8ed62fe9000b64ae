package columnar

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Whatever the text, every wanted column has as many cells as there are rows, or there is an error.
func FuzzJSONL(f *testing.F) {
	f.Add("{\"a\": 1, \"b\": [1, 2.5]}\n{\"b\": [null, true], \"a\": -1e3}\n", true)
	f.Add("{\"a\": \"x\"}\r\n\n{\"b\": null}", false)
	f.Fuzz(func(t *testing.T, text string, numbers bool) {
		kind := Text
		if numbers {
			kind = Number
		}
		table, err := readJSONL("x.jsonl", []byte(text), every(kind))
		if err == nil {
			check(t, table)
		}
	})
}

func check(t *testing.T, table *Table) {
	t.Helper()
	for i, c := range table.Columns {
		if c.Kind == Number && len(c.Numbers) != table.Rows*c.Width || c.Kind == Text && len(c.Codes) != table.Rows {
			t.Errorf("%d numbers and %d texts in %d rows of %d", len(c.Numbers), len(c.Codes), table.Rows, c.Width)
		}
		if table.Rows > 0 {
			_ = table.Place(table.Rows-1, i)
		}
		for _, code := range c.Codes {
			if int(code) >= len(c.Texts) {
				t.Fatalf("the text %d of %d", code, len(c.Texts))
			}
		}
	}
}

// The same of Parquet. The seeds are those that pyarrow wrote for package files.
func FuzzParquet(f *testing.F) {
	b, err := os.ReadFile("../files/testdata/files.json")
	if err != nil {
		f.Fatal(err)
	}
	var golden struct{ Files map[string]string }
	if err := json.Unmarshal(b, &golden); err != nil {
		f.Fatal(err)
	}
	for name, text := range golden.Files {
		if strings.HasSuffix(name, ".parquet") {
			data, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data, strings.HasPrefix(name, "rest"))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, texts bool) {
		kind := Number
		if texts {
			kind = Text
		}
		for column := range 3 {
			table, err := readParquet("x.parquet", bytes.NewReader(data), int64(len(data)), func(names []string, width int) ([]Kind, error) {
				kinds := make([]Kind, width)
				if column < width {
					kinds[column] = kind
				}
				return kinds, nil
			})
			if err == nil {
				check(t, table)
			}
		}
	})
}
