select max(score) as best from {{ ref('py_scores') }}
