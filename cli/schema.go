package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lighter-go/lighter/internal/engine"
	"github.com/lighter-go/lighter/internal/registry"
)

// schemaFile is what a project calls the schema.
const schemaFile = "lighter.schema.json"

func (p *program) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of configurations, for editors",
		Long: `Print the JSON Schema of configurations, with every component of this program. An editor with the YAML language server
completes and checks a file by it that begins with

  # yaml-language-server: $schema=` + schemaFile,
		Example:               "  lighter schema > " + schemaFile,
		GroupID:               otherGroup,
		Args:                  cobra.NoArgs,
		DisableFlagsInUseLine: true,
		RunE: func(*cobra.Command, []string) error {
			text, err := engine.Schema()
			if err == nil {
				_, err = p.stdout.Write(text)
			}
			return err
		},
	}
}

//go:generate go run ../cmd/lighter reference ../docs/reference

// referenceCommand writes the reference's pages; make docs calls it.
func (p *program) referenceCommand() *cobra.Command {
	return &cobra.Command{
		Use: "reference DIR", Short: "Write the reference of the components as Markdown", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return writeReference(args[0]) },
	}
}

// writeReference makes the pages of dir what the registry says; pages of families that are gone are removed.
func writeReference(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	pages := registry.Reference()
	old, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if pages[filepath.Base(path)] == nil {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			return fmt.Errorf("write the reference: %w", err)
		}
	}
	return nil
}
