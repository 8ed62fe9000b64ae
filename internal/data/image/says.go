package image

import "fmt"

// says is an error in Pillow's words, which begin with a capital.
func says(format string, args ...any) error { return fmt.Errorf(format, args...) }
