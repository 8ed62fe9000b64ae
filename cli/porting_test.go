package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/runner"
)

// TestPorting trains the digits with the Starlark of each section of docs/porting.md, by the configuration that ends it.
func TestPorting(t *testing.T) {
	base, err := filepath.Abs("../configs/digits.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../docs/porting.md")
	if err != nil {
		t.Fatal(err)
	}
	shown, run := 0, 0
	for section := range strings.SplitSeq(string(text), "\n## ") {
		title, _, _ := strings.Cut(section, "\n")
		files := map[string]string{}
		for i, part := range strings.Split("\n"+section, "\n```") {
			fence, body, _ := strings.Cut(part, "\n")
			if i%2 == 0 {
				continue
			}
			switch kind, name, _ := strings.Cut(fence, " "); {
			case kind == "starlark" && name == "":
				files["model.star"] = body
			case kind == "starlark":
				files[name] = body
			case fence == "yaml project":
				files["section.yaml"] = body
			}
		}
		if len(files) == 0 {
			continue
		}
		shown++
		t.Run(title, func(t *testing.T) {
			if files["section.yaml"] == "" {
				t.Fatal("the section has Starlark and no configuration that names it")
			}
			t.Chdir(t.TempDir())
			if _, ok := files["__lighter__.star"]; !ok {
				files["__lighter__.star"] = ""
			}
			files["base.yaml"] = "trainer: {=callbacks: []}" // its checkpoints watch a metric that a section may replace
			for name, text := range files {
				if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			_, err := runner.Run(context.Background(), "fit", []any{base, "base.yaml", "section.yaml", "trainer::max_epochs=1", "trainer::limit_train_batches=3", "trainer::logger=false"}, runner.Options{})
			if err != nil {
				t.Error(err)
			}
			run++
		})
	}
	if shown < 12 || run != shown {
		t.Errorf("%d of %d sections ran", run, shown)
	}
}
