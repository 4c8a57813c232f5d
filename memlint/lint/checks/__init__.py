"""One file per check; a rule names its check by the file, which has one public function of the same name."""
