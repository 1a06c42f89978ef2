# Ruby's mail with a delivery method and its settings (JSON): the arguments; a fault is an exception.
require 'json'
require 'mail'

letter = JSON.parse($stdin.read)
mail = Mail.new do
  from "#{letter['from'][0]} <#{letter['from'][1]}>"
  to "#{letter['to'][0]} <#{letter['to'][1]}>"
  cc letter['cc']
  bcc letter['bcc']
  subject letter['subject']
  charset = 'UTF-8'
  text_part { content_type 'text/plain; charset=UTF-8'; body letter['text'] } if letter['html']
  html_part { content_type 'text/html; charset=UTF-8'; body letter['html'] } if letter['html']
  unless letter['html']
    content_type 'text/plain; charset=UTF-8'
    body letter['text']
  end
end
mail.delivery_method ARGV[0].to_sym, JSON.parse(ARGV[1], symbolize_names: true)
begin
  mail.deliver!
  puts JSON.generate(sent: true, error: nil)
rescue StandardError => error
  puts JSON.generate(sent: false, error: error.message)
end
