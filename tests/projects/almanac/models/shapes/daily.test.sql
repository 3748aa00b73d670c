select 'a model that is called as the task of tests is' as note
