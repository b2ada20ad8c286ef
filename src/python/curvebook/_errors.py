"""What is raised for a mistake that the caller can mend."""


class InputError(ValueError):
    """Something given is wrong: which file, field and value, the rule that it breaks, a remedy.

    The same five parts stand in the message and as attributes.
    """

    def __init__(self, file: str, field: str, value: str, rule: str, remedy: str) -> None:
        super().__init__(file, field, value, rule, remedy)
        self.file = file
        self.field = field
        self.value = value
        self.rule = rule
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.file}: {self.field} = {self.value}: {self.rule}; {self.remedy}"
