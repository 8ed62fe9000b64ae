package metric

import "github.com/lighter-go/lighter"

const classification = "torchmetrics.classification"

type builder interface {
	Build(*lighter.Env) (lighter.Metric, error)
}

type checkedBuilder interface {
	builder
	Validate() error
}

// registerTask makes a metric known that has one class a task and one for all.
func registerTask(class, file string, any, binary, multiclass, multilabel builder) {
	file = classification + "." + file
	register(class, any, "torchmetrics", classification, file)
	register("Binary"+class, binary, classification, file)
	register("Multiclass"+class, multiclass, classification, file)
	register("Multilabel"+class, multilabel, classification, file)
}

// forTask chooses a metric's class by the task argument.
func forTask(task string, classes, labels *int64, binary func() checkedBuilder, multiclass, multilabel func(n int64) checkedBuilder) (checkedBuilder, error) {
	switch {
	case task == "binary":
		return binary(), nil
	case task == "multiclass" && classes == nil:
		return nil, needed("num_classes")
	case task == "multiclass":
		return multiclass(*classes), nil
	case labels == nil:
		return nil, needed("num_labels")
	}
	return multilabel(*labels), nil
}

// needed is the message for the number of classes or labels that a task cannot do without.
func needed(field string) error {
	return lighter.FieldError(field, "`%s` is expected to be `int` but `<class 'NoneType'> was passed.`", field)
}

func validateTask(b checkedBuilder, err error) error {
	if err != nil {
		return err
	}
	return b.Validate()
}

func buildTask(env *lighter.Env) func(checkedBuilder, error) (lighter.Metric, error) {
	return func(b checkedBuilder, err error) (lighter.Metric, error) {
		if err != nil {
			return nil, err
		}
		return b.Build(env)
	}
}

func taskDoc(class string) string {
	return "By `task` it is Binary" + class + ", Multiclass" + class + " or Multilabel" + class + ", and its values are logged under that name."
}
