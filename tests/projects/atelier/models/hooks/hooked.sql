{{ config(
    materialized='table',
    pre_hook=[
        {"sql": "insert into werk.audit values (1, 'before begin')", "transaction": false},
        "insert into werk.audit values (2, 'pre; it''s \"quoted\"')"
    ],
    post_hook=[
        "insert into werk.audit select 3, 'rows: ' || count(*) from werk.hooked",
        {"sql": "insert into werk.audit values (4, 'after commit')", "transaction": false}
    ]
) }}
select count(*) as people from {{ ref('people') }}
