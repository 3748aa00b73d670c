{{ config(materialized='table', alias='Bestellungen ''2024'' – Übersicht; drop', schema='Ober Fläche') }}
select id, "a column", "Größe", "semi;colon", "quo""te" as "quote'd" from {{ source('raw', 'odd') }}
